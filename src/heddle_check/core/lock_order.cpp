#include "heddle_check/core/lock_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace heddle_check {

LockOrder::Class LockOrder::class_of(const char* name) {
  if (name == nullptr) return kNoClass;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name || std::strcmp(names_[i], name) == 0) return static_cast<Class>(i + 1);
  }
  if (names_.size() + 1 == kClasses) return kNoClass;
  names_.push_back(name);
  return static_cast<Class>(names_.size());
}

bool LockOrder::find_path(Class from, Class to, std::uint64_t& seen, std::vector<Class>& path) const {
  path.push_back(from);
  if (from == to) return true;
  seen |= std::uint64_t{1} << from;
  for (Class next = 1; next < kClasses; ++next) {
    if ((after_[from] >> next & 1) != 0 && (seen >> next & 1) == 0 && find_path(next, to, seen, path)) return true;
  }
  path.pop_back();
  return false;
}

std::string LockOrder::add(Class held, Class taken, Site site) {
  std::uint64_t seen = 0;
  std::vector<Class> path;
  const bool cycle = find_path(taken, held, seen, path);
  after_[held] |= std::uint64_t{1} << taken;
  edges_.push_back({held, taken, site});
  if (!cycle) return {};
  path.push_back(taken);
  std::string text;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const auto edge = std::find_if(edges_.begin(), edges_.end(),
                                   [&](const Edge& e) { return e.held == path[i] && e.taken == path[i + 1]; });
    text += fmt::format("{}{} was held while {} was locked at {}:{}", i == 0 ? "" : "; ", names_[path[i] - 1],
                        names_[path[i + 1] - 1], edge->site.file_name(), edge->site.line());
  }
  return text;
}

}  // namespace heddle_check
