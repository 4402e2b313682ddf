// Tracks the mutexes that the calling thread holds if HEDDLE_DEBUG_CHECKS is 1; otherwise empty inline functions.
//
// At four doors no lock may be held: a user's callable, a blocking backend call, a foreign destructor, acquiring
// Python's GIL. Each of them calls assert_no_locks_held().
#pragma once

#include "heddle/base/check.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/sync/rank.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/lock_checks.hpp"
#else

namespace HEDDLE_NS::sync {

#if HEDDLE_DEBUG_CHECKS
// Aborts with both ranks unless `rank` is above every held rank. `ordered` is false for try_lock, which cannot block.
void note_locked(Rank rank, bool ordered) noexcept;
void note_unlocked(Rank rank) noexcept;
// A wait on a condition variable may hold only the mutex that it releases.
void assert_only_held(Rank rank) noexcept;
void assert_no_locks_held(const char* door) noexcept;
#else
inline void note_locked(Rank, bool) noexcept {}
inline void note_unlocked(Rank) noexcept {}
inline void assert_only_held(Rank) noexcept {}
inline void assert_no_locks_held(const char*) noexcept {}
#endif

}  // namespace HEDDLE_NS::sync

#endif
