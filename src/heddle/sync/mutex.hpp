// Mutex, its scoped lock and its condition variable.
//
// Mutex is std::mutex with a rank (sync/rank.hpp) and the compiler's annotations. Without debug checks it has the size
// and the code of std::mutex. Not recursive. The library has no other mutex.
#pragma once

#include "heddle/detail/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/mutex.hpp"
#include "heddle/sync/lock_checks.hpp"
#else

#include <condition_variable>
#include <mutex>

#include "heddle/sync/annotations.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/lock_checks.hpp"
#include "heddle/sync/rank.hpp"

namespace HEDDLE_NS::sync {

class HEDDLE_CAPABILITY("mutex") Mutex {
 public:
#if HEDDLE_DEBUG_CHECKS
  explicit Mutex(Rank rank) noexcept : rank_(rank) {}
  Rank rank() const noexcept { return rank_; }
#else
  explicit Mutex(Rank) noexcept {}
  static constexpr Rank rank() noexcept { return Rank::kLeaf; }
#endif
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() HEDDLE_ACQUIRE() {
    note_locked(rank(), true);
    native_.lock();
  }
  bool try_lock() HEDDLE_TRY_ACQUIRE(true) {
    if (!native_.try_lock()) return false;
    note_locked(rank(), false);
    return true;
  }
  void unlock() HEDDLE_RELEASE() {
    note_unlocked(rank());  // first, because after the unlock another thread may destroy this mutex
    native_.unlock();
  }

 private:
  friend class ConditionVariable;
  std::mutex native_;
#if HEDDLE_DEBUG_CHECKS
  Rank rank_;
#endif
};

#if !HEDDLE_DEBUG_CHECKS
static_assert(sizeof(Mutex) == sizeof(std::mutex), "the shipped mutex has no overhead over std::mutex");
#endif

// Holds a mutex for a scope; may be unlocked and locked again inside it.
class HEDDLE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HEDDLE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() HEDDLE_RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() HEDDLE_RELEASE() {
    mutex_.unlock();
    held_ = false;
  }
  void lock() HEDDLE_ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

// Every wait belongs in a loop over its predicate: wake-ups may be spurious. Change the predicate under the mutex.
class ConditionVariable {
 public:
  ConditionVariable() = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;

  // REQUIRES: `mutex` is held, and no other mutex is.
  void wait(Mutex& mutex) HEDDLE_REQUIRES(mutex) {
    assert_only_held(mutex.rank());
    std::unique_lock<std::mutex> native(mutex.native_, std::adopt_lock);
    native_.wait(native);
    native.release();
  }

  // Returns false if the deadline passed. With Deadline::never() it waits without limit.
  bool wait_until(Mutex& mutex, Deadline deadline) HEDDLE_REQUIRES(mutex) {
    if (deadline.is_never()) {
      wait(mutex);
      return true;
    }
    assert_only_held(mutex.rank());
    std::unique_lock<std::mutex> native(mutex.native_, std::adopt_lock);
    const bool notified = native_.wait_until(native, deadline.time()) == std::cv_status::no_timeout;
    native.release();
    return notified;
  }

  void notify_one() noexcept { native_.notify_one(); }
  void notify_all() noexcept { native_.notify_all(); }

 private:
  std::condition_variable native_;
};

}  // namespace HEDDLE_NS::sync

#endif
