// Makes a failing random program smaller: fewer threads, fewer steps at the end and at the start, while it still fails.
//
// Each attempt is a process of its own, so that crashes and hangs count as failures. Thread safety: one thread.
#pragma once

#include <cstdint>
#include <string>

#include "random/plan.hpp"

namespace heddle::programs {

struct Shrunk {
  bool failed = false;  // at all
  Cut cut;
  int attempts = 0;
};

// `program`: the path of heddle_random_programs; `times`: the number of runs without a failure after which an attempt
// counts as passed; `most`: seconds after which one program counts as hanging.
Shrunk shrink(const std::string& program, std::uint64_t seed, const std::string& device, const Cut& cut, int times,
              int most);

}  // namespace heddle::programs
