// The limits that control groups (cgroups) set to this process: its own group's and those of all groups around it.
//
// Both versions, also side by side. A group is found by /proc/self/cgroup and the mounts in /proc/self/mountinfo. Where
// the group's path does not lie under the mount, as in containers that see only their own part, the mount's root is
// taken; without /proc the usual mount points. What cannot be read sets no limit.
//
// Thread safety: free functions without state. `root` stands before /proc and /sys, for tests.
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

// Bytes. Nothing where no group limits them.
std::optional<CgroupLimit<std::size_t>> cgroup_memory_limit(const std::string& root = "");

// Processors' worth of time in each period, rounded up: at least 1. Nothing where no group has a quota.
std::optional<CgroupLimit<unsigned>> cgroup_processor_limit(const std::string& root = "");

}  // namespace HEDDLE_NS::cpu
