// The operating system's report on the machine: memory, and the processor's name.
//
// Thread safety: free functions without state.
#pragma once

#include <cstddef>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"

namespace HEDDLE_NS::cpu {

struct MemoryReading {
  std::size_t free_bytes = 0;   // available to new allocations, never above total
  std::size_t total_bytes = 0;  // physical memory or the cgroups' limit, whichever is less; 0: unknown
  std::string source;           // of the total: "/proc/meminfo", "sysinfo", "cgroup v2, FILE"; empty: unknown
};

// Physical memory by sysinfo(2), without /proc; zeros if the kernel refuses.
MemoryInfo ask_kernel_for_memory() noexcept;

// From /proc/meminfo and the cgroups; without meminfo, from the kernel.
MemoryReading read_memory_info();
// The same with files below `root`, for tests.
MemoryReading read_memory_info(const std::string& root, const MemoryInfo& kernel = {});

// "model name" of /proc/cpuinfo, or "CPU".
std::string read_processor_name(const std::string& root = "");

}  // namespace HEDDLE_NS::cpu
