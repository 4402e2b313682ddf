// Vector clocks: the part of each thread's past that another thread knows.
#pragma once

#include <array>
#include <cstdint>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

class VectorClock {
 public:
  std::uint32_t& operator[](ThreadId thread) noexcept { return time_[thread]; }
  std::uint32_t operator[](ThreadId thread) const noexcept { return time_[thread]; }
  // Of the first `threads` threads; the others are 0 in both.
  void join(const VectorClock& other, ThreadId threads) noexcept {
    for (ThreadId i = 0; i < threads; ++i) time_[i] = time_[i] < other.time_[i] ? other.time_[i] : time_[i];
  }
  void clear() noexcept { time_.fill(0); }

 private:
  std::array<std::uint32_t, kMaxThreads> time_{};
};

// Two clocks: `hb` is happens-before, which orders accesses to cells. `view`, never less than hb, also contains what
// fences have made visible without ordering anything: it bounds how old a loaded value may be.
struct Knowledge {
  VectorClock hb;
  VectorClock view;  // kept only under stale reads
  void join(const Knowledge& other, ThreadId threads, bool with_view) noexcept {
    hb.join(other.hb, threads);
    if (with_view) view.join(other.view, threads);
  }
  void clear() noexcept {
    hb.clear();
    view.clear();
  }
};

}  // namespace heddle_check
