// The virtual clock. It stands still while threads work. It moves when a wait or a sleep ends by time, and by kSpinTurn
// at each turn of a spin loop, so that loops with a deadline end.
//
// Reading it is an operation only with Limits::clock_is_visible. Outside an execution it is the steady clock.
#pragma once

#include <chrono>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

using Duration = std::chrono::steady_clock::duration;
using TimePoint = std::chrono::steady_clock::time_point;

inline constexpr std::chrono::microseconds kSpinTurn{10};

TimePoint now(Site site = Site::current()) noexcept;
// The thread continues at any later moment; other threads are preferred, as after yield().
void sleep_for(Duration duration, Site site = Site::current());
// The thread waits for another: it continues after other threads have had a turn. Spin loops need this; otherwise they
// count as livelocks.
void yield(Site site = Site::current());

}  // namespace heddle_check
