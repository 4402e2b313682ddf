// Mutex and SharedMutex under the checker.
//
// Locking is a visible operation. Unlocking is not (it only lets other threads continue, which they can as soon as this
// thread reaches its next operation), unless Limits::unlock_is_visible. After an unlock any thread may take the lock:
// there is no queue. A rank above kUnranked must be above the ranks of all mutexes that the thread holds; named mutexes
// also take part in the lock order over all executions, by name.
//
// Outside an execution nothing is checked, and only one thread at a time may use them.
#pragma once

#include "heddle_check/core/object.hpp"

namespace heddle_check {

class Mutex {
 public:
  // `name`: a string literal, or null.
  explicit constexpr Mutex(const char* name = nullptr, int rank = kUnranked) noexcept : name_(name), rank_(rank) {}
  ~Mutex();
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock(Site site = Site::current());
  bool try_lock(Site site = Site::current());
  void unlock(Site site = Site::current());

 private:
  friend class ConditionVariable;
  const char* name_;
  int rank_;
  ObjectRef ref_;
};

class SharedMutex {
 public:
  explicit constexpr SharedMutex(const char* name = nullptr, int rank = kUnranked) noexcept
      : name_(name), rank_(rank) {}
  ~SharedMutex();
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void lock(Site site = Site::current());
  void unlock(Site site = Site::current());
  void lock_shared(Site site = Site::current());
  void unlock_shared(Site site = Site::current());

 private:
  const char* name_;
  int rank_;
  ObjectRef ref_;
  ObjectRef readers_ref_;  // what writers learn from readers; readers learn nothing from each other
};

// Fails the execution if the calling thread holds any lock.
void require_no_locks_held(const char* door, Site site = Site::current());

}  // namespace heddle_check
