// How many processors this process may use.
//
// Thread safety: free functions without state.
#pragma once

#include <string>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cpu {

struct Processors {
  unsigned count = 1;
  std::string source;  // "affinity", or the cgroup whose quota is less than that
};

// The processors of the calling thread's affinity, which lie within the cpuset, or as many as the CPU quota of a cgroup
// pays for (rounded up), whichever is less. `root` stands before /proc and /sys, for tests.
Processors read_processors(const std::string& root = "");

}  // namespace HEDDLE_NS::cpu
