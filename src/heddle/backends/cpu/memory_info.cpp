#include "heddle/backends/cpu/memory_info.hpp"

#include <sys/sysinfo.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string_view>

#include "heddle/backends/cpu/cgroups.hpp"

namespace HEDDLE_NS::cpu {

namespace {

// "MemTotal:  16384 kB" in /proc/meminfo, in bytes; 0 if the line is absent.
std::size_t meminfo_bytes(const std::string& root, std::string_view key) {
  std::ifstream file(root + "/proc/meminfo");
  std::string word;
  while (file >> word) {
    std::uint64_t kib = 0;
    if (word == key && file >> kib) return static_cast<std::size_t>(kib) * 1024;
  }
  return 0;
}

}  // namespace

// Not sysconf(3): if the kernel refuses sysinfo, glibc uses its uninitialized result.
MemoryInfo ask_kernel_for_memory() noexcept {
  struct sysinfo machine{};
  if (sysinfo(&machine) == 0 && machine.totalram > 0) {
    return {static_cast<std::size_t>(machine.freeram) * machine.mem_unit,
            static_cast<std::size_t>(machine.totalram) * machine.mem_unit};
  }
  return {};
}

MemoryReading read_memory_info() { return read_memory_info("", ask_kernel_for_memory()); }

MemoryReading read_memory_info(const std::string& root, const MemoryInfo& kernel) {
  MemoryReading reading{meminfo_bytes(root, "MemAvailable:"), meminfo_bytes(root, "MemTotal:"), "/proc/meminfo"};
  if (reading.total_bytes == 0) reading = {kernel.free_bytes, kernel.total_bytes, "sysinfo"};
  const bool known = reading.total_bytes != 0;
  if (!known) reading.source.clear();
  if (const auto limit = cgroup_memory_limit(root); limit && (!known || limit->value < reading.total_bytes)) {
    reading.total_bytes = limit->value;
    reading.source = limit->source;
  }
  reading.free_bytes = known ? std::min(reading.free_bytes, reading.total_bytes) : reading.total_bytes;
  return reading;
}

std::string read_processor_name(const std::string& root) {
  std::ifstream file(root + "/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

}  // namespace HEDDLE_NS::cpu
