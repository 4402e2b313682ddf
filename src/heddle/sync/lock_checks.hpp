// Which mutexes the calling thread holds, where HEDDLE_DEBUG_CHECKS is 1; otherwise empty inline functions.
//
// There are four doors where no lock may be held: a user's callable, a blocking backend call, a foreign destructor,
// taking Python's global lock. assert_no_locks_held() stands there.
#pragma once

#include "heddle/base/check.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/sync/rank.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/lock_checks.hpp"
#else

namespace HEDDLE_NS::sync {

#if HEDDLE_DEBUG_CHECKS
// Aborts with both ranks when `rank` is not above every rank held. `ordered` is false for try_lock, which cannot block.
void note_locked(Rank rank, bool ordered) noexcept;
void note_unlocked(Rank rank) noexcept;
// A wait on a condition variable may hold no mutex but the one it gives up.
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
