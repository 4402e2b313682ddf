// LockOrder: which lock was taken while which was held, by name, over all executions of an explorer.
//
// A cycle is a possible deadlock even if no execution ran into it. Thread safety: none; owned by one explorer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

class LockOrder {
 public:
  using Class = std::uint8_t;
  static constexpr Class kNoClass = 0;  // unnamed locks, and those beyond the 63rd name

  // The class of a name (a literal). 0 for null.
  Class class_of(const char* name);
  // Notes that `taken` was locked at `site` while `held` was held. Empty, or the cycle that this closes, as text.
  std::string note(Class held, Class taken, Site site) {
    if (held == taken || (after_[held] >> taken & 1) != 0 || held == kNoClass || taken == kNoClass) return {};
    return add(held, taken, site);
  }

 private:
  static constexpr std::size_t kClasses = 64;
  std::string add(Class held, Class taken, Site site);
  bool find_path(Class from, Class to, std::uint64_t& seen, std::vector<Class>& path) const;

  std::vector<const char*> names_;
  std::vector<std::uint64_t> after_ = std::vector<std::uint64_t>(kClasses);  // by held lock: the locks taken
  struct Edge {
    Class held, taken;
    Site site;
  };
  std::vector<Edge> edges_;
};

}  // namespace heddle_check
