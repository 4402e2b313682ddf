// sync/mutex.hpp in the checked build: the same classes over the checker's primitives, which also check the ranks.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/annotations.hpp"
#include "heddle/sync/checked/rank_names.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/rank.hpp"
#include "heddle_check/condition_variable.hpp"
#include "heddle_check/mutex.hpp"

namespace HEDDLE_NS::sync {

using heddle_check::Site;

class HEDDLE_CAPABILITY("mutex") Mutex {
 public:
  explicit constexpr Mutex(Rank rank) noexcept : native_(name_of(rank), static_cast<int>(rank)) {}
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock(Site site = Site::current()) HEDDLE_ACQUIRE() { native_.lock(site); }
  bool try_lock(Site site = Site::current()) HEDDLE_TRY_ACQUIRE(true) { return native_.try_lock(site); }
  void unlock(Site site = Site::current()) HEDDLE_RELEASE() { native_.unlock(site); }

 private:
  friend class ConditionVariable;
  heddle_check::Mutex native_;
};

class HEDDLE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex, Site site = Site::current()) HEDDLE_ACQUIRE(mutex) : mutex_(mutex), site_(site) {
    mutex_.lock(site);
  }
  ~MutexLock() HEDDLE_RELEASE() {
    if (held_) mutex_.unlock(site_);
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock(Site site = Site::current()) HEDDLE_RELEASE() {
    mutex_.unlock(site);
    held_ = false;
  }
  void lock(Site site = Site::current()) HEDDLE_ACQUIRE() {
    mutex_.lock(site);
    held_ = true;
  }

 private:
  Mutex& mutex_;
  Site site_;
  bool held_ = true;
};

class ConditionVariable {
 public:
  ConditionVariable() = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;

  void wait(Mutex& mutex, Site site = Site::current()) HEDDLE_REQUIRES(mutex) { native_.wait(mutex.native_, site); }
  bool wait_until(Mutex& mutex, Deadline deadline, Site site = Site::current()) HEDDLE_REQUIRES(mutex) {
    return native_.wait_until(mutex.native_, deadline.time(), site);
  }
  void notify_one(Site site = Site::current()) noexcept { native_.notify_one(site); }
  void notify_all(Site site = Site::current()) noexcept { native_.notify_all(site); }

 private:
  heddle_check::ConditionVariable native_;
};

}  // namespace HEDDLE_NS::sync
