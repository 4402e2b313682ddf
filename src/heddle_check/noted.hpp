// Noted<T>: a scenario's note about an execution, from any of its threads: a count, a flag.
//
// Not data of the program: no decision, no race. Changes happen between visible operations, so each access is atomic.
#pragma once

#include "heddle_check/unseen.hpp"

namespace heddle_check {

template <class T>
class Noted {
 public:
  constexpr Noted() = default;
  constexpr Noted(T value) : value_(value) {}  // NOLINT: as a T
  Noted(const Noted&) = delete;

  HEDDLE_CHECK_UNSEEN Noted& operator=(T value) noexcept {
    value_ = value;
    return *this;
  }
  Noted& operator=(const Noted&) = delete;
  HEDDLE_CHECK_UNSEEN operator T() const noexcept { return value_; }  // NOLINT: as a T
  HEDDLE_CHECK_UNSEEN T operator++() noexcept { return ++value_; }
  HEDDLE_CHECK_UNSEEN T operator++(int) noexcept { return value_++; }
  HEDDLE_CHECK_UNSEEN T operator+=(T by) noexcept { return value_ += by; }
  HEDDLE_CHECK_UNSEEN T operator--() noexcept { return --value_; }

 private:
  T value_{};
};

}  // namespace heddle_check
