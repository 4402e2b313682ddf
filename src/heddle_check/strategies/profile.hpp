// Profile: the operations of a scenario on shared objects, and how many of them each thread performs.
//
// Object numbers differ between executions, so operations are identified by their place in the source. Places that ever
// used the same object form a group; a group is shared once two threads used the same object in it.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

class Profile {
 public:
  using Group = std::uint32_t;
  static constexpr Group kPrivate = 0xFFFFFFFF;

  // One execution: begin(), an add() for each performed operation, end().
  void begin();
  void add(ThreadId thread, const Operation& operation);
  void end();

  // kPrivate for operations on one thread's objects, and for unknown ones.
  Group group_of(const Operation& operation) const;
  // The shared groups.
  std::vector<Group> groups() const;
  // Operations of `thread` in `group` per execution; rounded.
  std::uint32_t mean(ThreadId thread, Group group) const;
  ThreadId threads() const noexcept { return threads_; }

 private:
  struct Place {
    const char* file;
    std::uint32_t line, column;
    bool operator==(const Place&) const = default;
  };
  struct HashPlace {
    std::size_t operator()(const Place& place) const noexcept {
      return (reinterpret_cast<std::uintptr_t>(place.file) ^ place.line * 0x9E3779B97F4A7C15u) + place.column;
    }
  };
  struct Used {  // an object of the running execution
    ThreadMask by = 0;
    std::uint32_t place = 0;  // the first that used it
  };
  static bool counts(const Operation& operation) noexcept { return operation.object >= kFirstObject; }
  static Place place_of(const Operation& operation) noexcept {
    return {operation.site.file_name(), operation.site.line(), operation.site.column()};
  }
  std::uint32_t root_of(std::uint32_t place) const noexcept {
    while (parents_[place] != place) place = parents_[place];
    return place;
  }

  std::unordered_map<Place, std::uint32_t, HashPlace> places_;
  // By place; groups are the roots of a forest.
  std::vector<std::uint32_t> parents_;
  std::vector<bool> shared_;
  std::vector<std::array<std::uint64_t, kMaxThreads>> performed_;
  std::vector<Used> objects_;
  std::uint64_t executions_ = 0;
  ThreadId threads_ = 0;
};

}  // namespace heddle_check
