// The monotonic clock and deadlines. No other part of the library reads a clock or sleeps.
#pragma once

#include <chrono>

#include "heddle/detail/namespace.hpp"

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
  // Never, if the clock cannot count that far; now, if `duration` is negative.
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> duration) noexcept {
    using Given = std::chrono::duration<Rep, Period>;
    if (duration == Given::max()) return never();  // without reading the clock
    const TimePoint start = now();
    // Compared in the caller's unit, because its largest values overflow the clock's unit.
    if (duration >= std::chrono::duration_cast<Given>(TimePoint::max() - start)) return never();
    return Deadline(duration <= Given::zero() ? start : start + std::chrono::duration_cast<Duration>(duration));
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
