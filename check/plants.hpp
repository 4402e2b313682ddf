// The planted faults: what each breaks, and the scenario that must then fail. tests/check/program/program_test.cpp
// kills every one.
#pragma once

#include <string>
#include <vector>

namespace heddle::check {

struct Plant {
  std::string id;        // of HEDDLE_PLANT
  std::string pattern;   // of bug, by its number in docs/change/design-rules-out.md
  std::string group;     // pool, ticket, handlers, shutdown, memory, device, canary;
                         // plain: detected only by preset tsan-check
  std::string story;     // one line
  std::string scenario;  // that must fail
};

const std::vector<Plant>& all_plants();

}  // namespace heddle::check
