// The limits that control groups (cgroups) set for this process: its own group's and those of all ancestors.
//
// Supports both versions, even side by side. /proc/self/cgroup and the mounts in /proc/self/mountinfo give the group.
// If the group's path does not lie under the mount, as in containers that see only their own part, the mount's root is
// used; without /proc, the usual mount points. A file that cannot be read sets no limit.
//
// Thread safety: free functions without state. `root` is prepended to /proc and /sys, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cpu {

template <class Value>
struct CgroupLimit {
  Value value;
  std::string source;  // "cgroup v2, /sys/fs/cgroup/a/memory.max"
};

// Bytes. Empty if no group limits them.
std::optional<CgroupLimit<std::size_t>> cgroup_memory_limit(const std::string& root = "");

// Processor time per period, in processors, rounded up: at least 1. Empty if no group has a quota.
std::optional<CgroupLimit<unsigned>> cgroup_processor_limit(const std::string& root = "");

}  // namespace HEDDLE_NS::cpu
