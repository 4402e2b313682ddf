// The planted faults: what each breaks, and which scenario must then fail. tests/check/program/program_test.cpp kills
// every one.
#pragma once

#include <string>
#include <vector>

namespace heddle::check {

struct Plant {
  std::string id;        // of HEDDLE_PLANT
  std::string pattern;   // of bug, by its number (docs/change/design-rules-out.md)
  std::string group;     // pool, ticket, handlers, shutdown, memory, device, canary;
                         // plain: seen by the build of preset tsan-check only
  std::string story;     // one line
  std::string scenario;  // that kills it
};

const std::vector<Plant>& all_plants();

}  // namespace heddle::check
