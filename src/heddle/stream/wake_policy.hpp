// WakePolicy: when the handler thread is woken in advance, how long it spins before it sleeps, and when a thread that
// makes progress yields to it. Events in, decisions out; it knows neither threads nor clocks.
//
// A registration wakes the sleeping handler thread in advance, so that the two wake-ups of an idle runtime, the
// worker's and the handler thread's, happen at the same time. A wake-up that finds nothing to run before the thread
// sleeps again came too early: from then on WakePolicy backs off exponentially, counted in registrations.
//
// Thread safety: none of WakePolicy, which its owner's mutex guards; SpinTimes is immutable.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/limits.hpp"

namespace HEDDLE_NS {

// How long a thread that serves handlers spins for more work before it sleeps.
struct SpinTimes {
  // From one list of a busy stream to the next. A thread that slept is late by the 30 us and more that a wake-up takes.
  static constexpr std::chrono::microseconds kBetweenLists{2000};

  bool spins = false;
  std::chrono::microseconds usual{0};
  std::chrono::microseconds expecting{0};  // while handlers wait for their tickets, or after an early wake-up

  // `spins`: threads that wait may spin. `announces`: the device tells of progress, so that no thread has to look.
  static SpinTimes of(const Limits& limits, bool spins, bool announces) noexcept {
    const bool longer = spins && !announces && limits.spin_max.count() != 0;
    return {spins, limits.spin_max, longer ? std::max(kBetweenLists, limits.spin_max) : limits.spin_max};
  }
};

class WakePolicy {
 public:
  // After so many lists that made progress while the handler thread did not look, their thread yields once.
  static constexpr unsigned kLateLists = 4;
  // So many registrations at most pass without an early wake-up.
  static constexpr unsigned kSkippedMost = 1023;

  // A handler was registered while the handler thread sleeps. True: wake it in advance.
  bool on_registration() noexcept {
    if (skips_ != 0) {
      --skips_;
      return false;
    }
    return woken_early_ = true;
  }
  // The handler thread has found something to run.
  void on_work() noexcept {
    if (std::exchange(woken_early_, false)) skips_ = back_off_ = 0;
  }
  // The handler thread has found nothing to run and is about to sleep.
  void on_sleep() noexcept {
    if (std::exchange(woken_early_, false)) skips_ = back_off_ = std::min(2 * back_off_ + 1, kSkippedMost);
  }
  // It was woken in advance, and has found nothing to run yet.
  bool woken_early() const noexcept { return woken_early_; }

  // The `late`-th list in a row made progress for a stream that the handler thread has yet to look at. It may wait for
  // the very processor that the calling thread goes from list to list on, though another is idle; a kernel lets it wait
  // for milliseconds then. True: yield.
  static bool yields_to_handlers(unsigned late) noexcept { return late % kLateLists == 0; }
  // Whether spinning can help. While the handler thread keeps the processor of the thread that made the last stream
  // ready, that thread cannot make another one ready.
  static bool spins_on(int processor, int last_ready_on) noexcept { return processor != last_ready_on; }

 private:
  bool woken_early_ = false;
  unsigned skips_ = 0;     // registrations to come that do not wake it in advance
  unsigned back_off_ = 0;  // as many after the next wake-up that comes too early
};

}  // namespace HEDDLE_NS
