// Atomics. An alias in the shipped build; in the checked build a class whose every access is a decision.
//
// Rule: use a mutex by default. An order weaker than sequentially consistent needs a comment that names its
// counterpart.
#pragma once

#include <atomic>
#include <cstdint>

#include "heddle/detail/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/atomic.hpp"
#endif

namespace HEDDLE_NS::sync {

#if !HEDDLE_CHECKED
template <class T>
using Atomic = std::atomic<T>;
static_assert(sizeof(Atomic<std::uint64_t>) == sizeof(std::uint64_t), "the shipped atomic has no overhead");
#endif

inline constexpr std::memory_order relaxed = std::memory_order_relaxed;
inline constexpr std::memory_order acquire = std::memory_order_acquire;
inline constexpr std::memory_order release = std::memory_order_release;
inline constexpr std::memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr std::memory_order seq_cst = std::memory_order_seq_cst;

}  // namespace HEDDLE_NS::sync
