// Fairness: a yielding thread gives way to threads that could have continued since its last yield and did not.
//
// The fair scheduling of M. Musuvathi and S. Qadeer (PLDI 2008). Without yields it costs nothing and restricts nothing.
// With them, every thread that stays enabled eventually continues, so a spin loop ends if its condition comes true.
#pragma once

#include <array>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

class Fairness {
 public:
  void reset() noexcept { active_ = false; }
  // True from the first yield of an execution on.
  bool active() const noexcept { return active_; }
  void activate() noexcept;

  // `thread` performed an operation (a yield, if `yielded`) that changed the enabled threads from `before` to `now`.
  void after(ThreadId thread, bool yielded, ThreadMask before, ThreadMask now, ThreadId threads) noexcept;
  // The threads of `enabled` over which no enabled thread has priority; never empty for a non-empty mask.
  ThreadMask filter(ThreadMask enabled) const noexcept;

 private:
  bool active_ = false;
  // By thread, since its last yield: threads enabled all the time, threads disabled by it, threads that performed
  // something.
  std::array<ThreadMask, kMaxThreads> enabled_{};
  std::array<ThreadMask, kMaxThreads> disabled_{};
  std::array<ThreadMask, kMaxThreads> performed_{};
  std::array<ThreadMask, kMaxThreads> before_{};  // threads that have priority over it
};

}  // namespace heddle_check
