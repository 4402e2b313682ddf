// What the operating system says about the machine: memory, and the processor's name.
//
// Thread safety: free functions without state.
#pragma once

#include <cstddef>
#include <string>

#include "heddle/base/namespace.hpp"
#include "heddle/device/device.hpp"

namespace HEDDLE_NS::cpu {

// total: physical memory or this process's cgroup limit (version 2 or 1), whichever is less; free: what new allocations
// may take, never above total. Zeros where the system does not say. `root` stands before /proc and /sys, for tests.
MemoryInfo read_memory_info(const std::string& root = "");

// "model name" of /proc/cpuinfo, or "CPU".
std::string read_processor_name(const std::string& root = "");

}  // namespace HEDDLE_NS::cpu
