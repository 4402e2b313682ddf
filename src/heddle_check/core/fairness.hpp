// Fairness: a thread that yields gives way to those that could have gone on since its last yield and did not.
//
// The fair scheduling of M. Musuvathi and S. Qadeer (PLDI 2008). Without yields it costs nothing and restricts nothing;
// with them, every thread that stays enabled goes on sooner or later, so a spin loop ends if what it waits for happens.
#pragma once

#include <array>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

class Fairness {
 public:
  void reset() noexcept { active_ = false; }
  // From the first yield of an execution on.
  bool active() const noexcept { return active_; }
  void activate() noexcept;

  // `thread` performed an operation (a yield, if `yielded`), by which the enabled threads went from `before` to `now`.
  void after(ThreadId thread, bool yielded, ThreadMask before, ThreadMask now, ThreadId threads) noexcept;
  // Those of `enabled` that nobody enabled has priority over; never empty for a non-empty mask.
  ThreadMask filter(ThreadMask enabled) const noexcept;

 private:
  bool active_ = false;
  // By thread, since its last yield: who was enabled all the time, who was disabled by it, who performed something.
  std::array<ThreadMask, kMaxThreads> enabled_{};
  std::array<ThreadMask, kMaxThreads> disabled_{};
  std::array<ThreadMask, kMaxThreads> performed_{};
  std::array<ThreadMask, kMaxThreads> before_{};  // who has priority over it
};

}  // namespace heddle_check
