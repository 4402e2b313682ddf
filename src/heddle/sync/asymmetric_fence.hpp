// A fence pair with all of its cost on one side.
//
// light() on the frequent side is a compiler barrier. heavy() on the rare side interrupts every thread of the process
// (membarrier, about 10 us). Together they order a store and a later load on both sides as two full fences would. If
// the kernel refuses membarrier when the first runtime opens, both are full fences; `heddle info` shows the mode.
//
// Thread safety: all functions. Invariants: 1. The mode is chosen once per process and never changes: light sides rely
// on it without a check. 2. In mode kMembarrier, heavy() has interrupted all threads when it returns, even if the
// kernel has come to refuse membarrier (a sandbox that one thread or all of them entered later). Instead of membarrier,
// heavy() then takes away the access to a page, for which the kernel interrupts every processor that runs this process.
// 3. If the kernel refuses that too, or it does not interrupt (processors other than x86-64, and those with INVLPGB),
// heavy() ends the process with one line.
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
// Out of line: fast paths contain no locked instruction, not even one that they jump over.
void full_fence() noexcept;
// The fallback of invariant 2. False if this processor or the kernel rules it out.
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
