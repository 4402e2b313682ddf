#include "heddle/backends/cpu/memory_info.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string_view>

namespace HEDDLE_NS::cpu {

namespace {

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

// A file that holds one number; "max" and an absent file are no limit.
std::size_t read_number(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? static_cast<std::size_t>(number) : kUnlimited;
}

// "MemTotal:  16384 kB" of /proc/meminfo, in bytes; 0 when the line is absent.
std::size_t meminfo_bytes(const std::string& root, std::string_view key) {
  std::ifstream file(root + "/proc/meminfo");
  std::string word;
  while (file >> word) {
    std::uint64_t kib = 0;
    if (word == key && file >> kib) return static_cast<std::size_t>(kib) * 1024;
  }
  return 0;
}

// The least of `file` in this process's cgroup and the groups around it. Version 2 names its group "0::/path".
std::size_t cgroup2_least(const std::string& root) {
  std::string group = "/";
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::/")) group = line.substr(3);
  }
  std::size_t least = kUnlimited;
  for (;;) {
    least = std::min(least, read_number((root + "/sys/fs/cgroup").append(group).append("/memory.max")));
    if (group.empty()) return least;
    const std::size_t slash = group.rfind('/');
    group.resize(slash == std::string::npos ? 0 : slash);
  }
}

}  // namespace

MemoryInfo read_memory_info(const std::string& root) {
  const std::size_t limit =
      std::min(cgroup2_least(root), read_number(root + "/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  const std::size_t total = std::min(meminfo_bytes(root, "MemTotal:"), limit);
  return {std::min(meminfo_bytes(root, "MemAvailable:"), total), total};
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
