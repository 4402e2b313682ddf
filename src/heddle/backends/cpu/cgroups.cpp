#include "heddle/backends/cpu/cgroups.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace HEDDLE_NS::cpu {
namespace {

// Numbers from here on mean "no limit": version 1 writes the largest whole number of pages.
constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;

// Where a hierarchy is mounted. Below, an empty `controller` means version 2, a name means one of version 1.
struct Mount {
  std::string point;
  std::string root;  // the group at the mount point; "" is the root of the hierarchy
};

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == word) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// "\040" for a space, as mountinfo writes paths.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(&text[i + 1], &text[i] + 4, code, 8).ptr == &text[i] + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string without_last_slash(std::string path) {
  if (path.ends_with('/')) path.pop_back();
  return path;
}

// Lines of mountinfo: "31 23 0:28 /ROOT /POINT rw,... [optional fields] - TYPE SOURCE rw,CONTROLLERS".
std::vector<Mount> mounts(const std::string& root, std::string_view controller) {
  std::vector<Mount> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string skipped, mount_root, point, word, type, options;
    fields >> skipped >> skipped >> skipped >> mount_root >> point;
    while (fields >> word && word != "-") {
    }
    fields >> type >> skipped >> options;
    if (controller.empty() ? type != "cgroup2" : type != "cgroup" || !has_word(options, controller)) continue;
    found.push_back({unescaped(point), without_last_slash(unescaped(mount_root))});
  }
  if (found.empty()) found.push_back({std::string("/sys/fs/cgroup/").append(controller), ""});
  for (Mount& mount : found) mount.point = without_last_slash(mount.point);
  return found;
}

// Lines of /proc/self/cgroup: "4:cpu,cpuacct:/a/b", version 2 "0::/a/b". "" means the root, or unknown.
std::string group_of_process(const std::string& root, std::string_view controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (controller.empty() ? !controllers.empty() : !has_word(controllers, controller)) continue;
    constexpr std::string_view kDeleted = " (deleted)";
    std::string group = line.substr(second + 1);
    if (group.ends_with(kDeleted)) group.resize(group.size() - kDeleted.size());
    return without_last_slash(std::move(group));
  }
  return "";
}

// The path of `group` below the mount; empty if the group is not there.
std::optional<std::string> below(const Mount& mount, const std::string& group) {
  if (group.find("/..") != std::string::npos || !group.starts_with(mount.root)) return std::nullopt;
  std::string rest = group.substr(mount.root.size());
  if (!rest.empty() && rest.front() != '/') return std::nullopt;
  return rest;
}

// The folders of this process's group and its ancestors, the innermost first.
std::vector<std::string> folders(const std::string& root, std::string_view controller) {
  const std::string group = group_of_process(root, controller);
  std::vector<std::string> inside, outside;
  for (const Mount& mount : mounts(root, controller)) {
    std::optional<std::string> path = below(mount, group);
    if (!path) outside.push_back(mount.point);
    while (path) {
      inside.push_back(mount.point + *path);
      if (path->empty()) break;
      path->resize(path->rfind('/'));
    }
  }
  return inside.empty() ? outside : inside;
}

// The numbers at the beginning of a file; -1 for a word ("max").
std::vector<std::int64_t> numbers(const std::string& path) {
  std::vector<std::int64_t> found;
  std::ifstream file(path);
  for (std::string word; found.size() < 2 && file >> word;) {
    std::int64_t number = -1;
    if (std::from_chars(word.data(), word.data() + word.size(), number).ec != std::errc()) number = -1;
    found.push_back(number);
  }
  return found;
}

std::int64_t first_number(const std::string& path) {
  const std::vector<std::int64_t> found = numbers(path);
  return found.empty() ? -1 : found[0];
}

// "hierarchical_memory_limit" in a memory.stat of version 1: includes ancestors beyond the mount.
std::int64_t hierarchical_limit(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = -1;
  for (std::string word; file >> word;) {
    if (word == "hierarchical_memory_limit") return file >> number ? number : -1;
  }
  return -1;
}

// Keeps the lower limit. A `value` that is not positive, or too large, is no limit.
template <class Value>
void lower(std::optional<CgroupLimit<Value>>& least, std::int64_t value, const char* version, const std::string& file) {
  if (value <= 0 || value >= kNoLimit || (least && least->value <= static_cast<std::uint64_t>(value))) return;
  least = CgroupLimit<Value>{static_cast<Value>(value), std::string("cgroup ") + version + ", " + file};
}

std::int64_t processors(std::int64_t quota, std::int64_t period) {
  return quota <= 0 || quota >= kNoLimit || period <= 0 ? -1 : (quota - 1) / period + 1;
}

}  // namespace

std::optional<CgroupLimit<std::size_t>> cgroup_memory_limit(const std::string& root) {
  std::optional<CgroupLimit<std::size_t>> least;
  for (const std::string& folder : folders(root, "")) {
    lower(least, first_number(root + folder + "/memory.max"), "v2", folder + "/memory.max");
  }
  const std::vector<std::string> groups = folders(root, "memory");
  for (const std::string& folder : groups) {
    const std::string limit = folder + "/memory.limit_in_bytes";
    lower(least, first_number(root + limit), "v1", limit);
  }
  for (const std::string& folder : groups) {  // after the limit files, which name the folder that sets the number
    const std::string stat = folder + "/memory.stat";
    lower(least, hierarchical_limit(root + stat), "v1", stat);
  }
  return least;
}

std::optional<CgroupLimit<unsigned>> cgroup_processor_limit(const std::string& root) {
  constexpr std::int64_t kDefaultPeriodUs = 100'000;
  std::optional<CgroupLimit<unsigned>> least;
  for (const std::string& folder : folders(root, "")) {
    const std::string file = folder + "/cpu.max";
    const std::vector<std::int64_t> quota = numbers(root + file);
    if (quota.empty()) continue;
    lower(least, processors(quota[0], quota.size() > 1 ? quota[1] : kDefaultPeriodUs), "v2", file);
  }
  for (const std::string& folder : folders(root, "cpu")) {
    const std::string file = folder + "/cpu.cfs_quota_us";
    lower(least, processors(first_number(root + file), first_number(root + folder + "/cpu.cfs_period_us")), "v1", file);
  }
  return least;
}

}  // namespace HEDDLE_NS::cpu
