// Cell<T>: plain data under watch. An access is no decision, but two accesses that nothing orders, one of them a write,
// fail the execution in whatever order they came: vector clocks detect this.
//
// Not seen: order from outside the checker, such as reference counts of std::shared_ptr; a Cell that relies on it gives
// false alarms.
#pragma once

#include <utility>

#include "heddle_check/core/object.hpp"

namespace heddle_check {

namespace detail {
void note_read(ObjectRef& ref, const char* name, Site site);
void note_write(ObjectRef& ref, const char* name, Site site);
}  // namespace detail

template <class T>
class Cell {
 public:
  constexpr Cell() = default;
  explicit constexpr Cell(T value, const char* name = nullptr) : value_(std::move(value)), name_(name) {}
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  const T& get(Site site = Site::current()) const {
    detail::note_read(ref_, name_, site);
    return value_;
  }
  void set(T value, Site site = Site::current()) {
    detail::note_write(ref_, name_, site);
    value_ = std::move(value);
  }
  // A write: the caller changes the value through the reference before its next visible operation.
  T& change(Site site = Site::current()) {
    detail::note_write(ref_, name_, site);
    return value_;
  }

 private:
  T value_{};
  const char* name_ = nullptr;
  mutable ObjectRef ref_;
};

}  // namespace heddle_check
