// A fence pair whose cost lies on one side.
//
// light() on the frequent side is a compiler barrier; heavy() on the rare side interrupts every thread of the process
// (membarrier, about 10 us), so that the two order a store and a later load on both sides as two full fences would.
// Where the kernel refuses membarrier when the first runtime is opened, both are full fences; `heddle info` says which
// is in use.
//
// Thread safety: all functions. Invariants: 1. The mode is chosen once per process and never changes: light sides rely
// on it without asking. 2. In the mode kMembarrier, heavy() has interrupted all threads when it returns, whatever the
// kernel refuses by then (a sandbox that one thread or all of them entered later): in place of membarrier it takes away
// the access to a page, for which the kernel interrupts every processor that runs this process. 3. Where that is
// refused too, or does not interrupt (processors other than x86-64, and those with INVLPGB), it ends the process with
// one line.
#pragma once

#include <atomic>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::sync {

enum class FenceMode : unsigned char { kUnknown, kMembarrier, kFull };

}  // namespace HEDDLE_NS::sync

#if HEDDLE_CHECKED
#include "heddle/sync/checked/asymmetric_fence.hpp"
#else

namespace HEDDLE_NS::sync {

// Registers with the kernel once per process; later calls return the same answer.
FenceMode asymmetric_fence_mode() noexcept;

namespace detail {
// Written once, before the first gate exists (asymmetric_fence_mode()); read on the fast path.
extern std::atomic<FenceMode> fence_mode;
// Out of line: fast paths hold no locked instruction, not even one that they step over.
void full_fence() noexcept;
// Invariant 2's other way. False where this processor or the kernel does not let it be one.
bool interrupt_by_page() noexcept;
}  // namespace detail

inline void asymmetric_fence_light() noexcept {
  if (detail::fence_mode.load(std::memory_order_relaxed) == FenceMode::kMembarrier) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    detail::full_fence();
  }
}

void asymmetric_fence_heavy() noexcept;

}  // namespace HEDDLE_NS::sync

#endif
