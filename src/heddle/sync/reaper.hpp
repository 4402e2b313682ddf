// Reaper: threads of the library that end objects which may not end on the thread that dropped them.
//
// A handler or a custom operation may drop the last reference to a runtime, whose end waits for that very handler or
// joins that very thread. It hands the object over instead, and continues. Threads are started on demand, a few in
// parallel, so that one slow end does not delay the others. Each thread ends when no work is left. It is joined when
// the next one starts, when a runtime opens, or at the end of the process.
//
// Thread safety: all functions, from any thread; none in a forked child whose parent had something open. Locks: one
// mutex per process (kReaper). Invariants: 1. An object that was handed over stays alive until reap() was called on it.
// 2. A hand-over needs no memory except for a thread. If no thread can be started, the object waits: attend() and each
// hand-over try again.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS::sync {

// An object that can be handed over.
class Reapable {
 public:
  Reapable(const Reapable&) = delete;
  Reapable& operator=(const Reapable&) = delete;

 protected:
  Reapable() = default;
  virtual ~Reapable() = default;

 private:
  friend class Reaper;
  // Called on a reaper thread without locks; may wait, and may destroy the object.
  virtual void reap() noexcept = 0;

  // Guarded by the reaper's mutex.
  Reapable* next_ = nullptr;
  bool queued_ = false;
  std::shared_ptr<void> keep_;
};

class Reaper {
 public:
  // Never waits for the object. A second hand-over before a thread took the object has no effect. `keep` is dropped
  // after reap().
  static void hand_over(Reapable& object, std::shared_ptr<void> keep = nullptr) noexcept;
  // Joins threads that have ended, and starts one if an object waits.
  static void attend() noexcept;
  // Waits until no work is left, and joins the threads. False: the deadline passed first.
  static bool finish(Deadline deadline) noexcept;
#if HEDDLE_CHECKED
  // A new execution begins: objects that a failed one left here do not belong to it.
  static void forget() noexcept;
#endif

 private:
  struct Worker;
  struct Shared;
  static Shared& shared() noexcept;
  static void join_ended(Shared& all) noexcept;
  static void start(Shared& all) noexcept;
  static void work(Shared& all, Worker& worker) noexcept;
};

// Deleter for owners of threads and devices. Does nothing in a forked child. Where waiting is forbidden, it leaves the
// object to the reaper, because ending it joins threads, possibly the calling one. T is Reapable, and deletes itself.
struct ReapedDelete {
  template <class T>
  void operator()(T* object) const noexcept {
    if (NoWaiting::active() && !in_forked_child()) {
      Reaper::hand_over(*object);
    } else {
      ForkSafeDelete{}(object);
    }
  }
};

}  // namespace HEDDLE_NS::sync
