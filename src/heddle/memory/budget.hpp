// Budget: how much of a device's memory may be obtained, and how much is.
//
// Everything that is obtained from the device is reserved here first: segments (with the scratch memory and the lane
// state inside them) and what a backend keeps beside them. Reserving is one compare-exchange against the limit, so no
// two threads together exceed it, not even for a moment.
// Thread safety: all members. Invariants: 1. reserved <= limit. 2. low <= high <= limit.
#pragma once

#include <algorithm>
#include <cstddef>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

// Above `high` reserved bytes idle memory is given back, down to `low`.
struct MemoryMarks {
  std::size_t high, low;
};

// `high` and `low`, and for those that are 0 their defaults: 15/16 and 7/8 of `limit` (`low` no more than `high`).
constexpr MemoryMarks memory_marks(std::size_t limit, std::size_t high = 0, std::size_t low = 0) noexcept {
  const std::size_t chosen = high != 0 ? high : std::max(low, limit - limit / 16);
  return {chosen, low != 0 ? low : std::min(chosen, limit - limit / 8)};
}

class Budget {
 public:
  // As memory_marks(). REQUIRES: invariant 2 of what is given.
  explicit Budget(std::size_t limit, std::size_t high = 0, std::size_t low = 0) noexcept
      : limit_(limit), high_(memory_marks(limit, high, low).high), low_(memory_marks(limit, high, low).low) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // False, and nothing is changed, when less is left.
  bool reserve(std::size_t bytes) noexcept;
  // After the bytes were given back.
  void release(std::size_t bytes) noexcept;

  std::size_t limit() const noexcept { return limit_; }
  std::size_t high() const noexcept { return high_; }
  std::size_t low() const noexcept { return low_; }
  std::size_t reserved() const noexcept { return reserved_.load(sync::relaxed); }
  std::size_t peak() const noexcept { return peak_.load(sync::relaxed); }

 private:
  const std::size_t limit_, high_, low_;
  sync::Atomic<std::size_t> reserved_{0};
  sync::Atomic<std::size_t> peak_{0};
};

}  // namespace HEDDLE_NS
