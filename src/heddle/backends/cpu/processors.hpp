// How many processors this process may use.
//
// Thread safety: free functions without state.
#pragma once

#include <string>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cpu {

struct Processors {
  unsigned count = 1;
  std::string source;  // "affinity", or the cgroup whose lower quota applies
};

// The calling thread's affinity mask, which lies within the cpuset, or the CPU quota of a cgroup (rounded up),
// whichever is less. `root` is prepended to /proc and /sys, for tests.
Processors read_processors(const std::string& root = "");

}  // namespace HEDDLE_NS::cpu
