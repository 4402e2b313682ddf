// The monotonic clock and deadlines. Nothing else in the library reads a clock or sleeps.
#pragma once

#include <chrono>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS::sync {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace HEDDLE_NS::sync

#if HEDDLE_CHECKED
#include "heddle/sync/checked/clock.hpp"
#endif

namespace HEDDLE_NS::sync {

#if !HEDDLE_CHECKED
inline TimePoint now() noexcept { return Clock::now(); }
void sleep_for(Duration duration);
#endif

// A point in time after which a wait gives up; a value.
class Deadline {
 public:
  static constexpr Deadline never() noexcept { return Deadline(TimePoint::max()); }
  static Deadline after(Duration duration) noexcept {
    const TimePoint start = now();
    return duration > TimePoint::max() - start ? never() : Deadline(start + duration);
  }
  static constexpr Deadline at(TimePoint time) noexcept { return Deadline(time); }

  bool is_never() const noexcept { return time_ == TimePoint::max(); }
  bool passed() const noexcept { return !is_never() && now() >= time_; }
  TimePoint time() const noexcept { return time_; }
  Deadline earlier(Deadline other) const noexcept { return Deadline(time_ < other.time_ ? time_ : other.time_); }

 private:
  explicit constexpr Deadline(TimePoint time) noexcept : time_(time) {}
  TimePoint time_;
};

}  // namespace HEDDLE_NS::sync
