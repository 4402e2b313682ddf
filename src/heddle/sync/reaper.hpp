// Reaper: threads of the library that end what may not end where its last owner went.
//
// A handler or a custom operation may drop the last reference to a runtime, whose end waits for that very handler, or
// joins that very thread. It hands the object over instead, and goes on. Threads are started on demand, a few at once,
// so that one end that takes long does not hold up the others; each ends when nothing is left to do, and is joined by
// whoever starts the next one, opens a runtime, or by the end of the process.
//
// Thread safety: all functions, from any thread; none in a forked child whose parent had something open. Locks: one
// mutex of the process (kReaper). Invariants: 1. An object that was handed over stays until reap() was called on it.
// 2. Handing over needs no memory but for a thread. Where none can be started the object waits: attend() tries again,
// as does each hand-over.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS::sync {

// What can be handed over.
class Reapable {
 public:
  Reapable(const Reapable&) = delete;
  Reapable& operator=(const Reapable&) = delete;

 protected:
  Reapable() = default;
  virtual ~Reapable() = default;

 private:
  friend class Reaper;
  // On a reaper's thread, without locks; may wait, and may destroy the object.
  virtual void reap() noexcept = 0;

  // Guarded by the reaper's mutex.
  Reapable* next_ = nullptr;
  bool queued_ = false;
  std::shared_ptr<void> keep_;
};

class Reaper {
 public:
  // Never waits for what it is handed. What is handed over again before a thread took it counts once. `keep` is dropped
  // after reap().
  static void hand_over(Reapable& object, std::shared_ptr<void> keep = nullptr) noexcept;
  // Joins threads that have ended, and starts one if something waits for it.
  static void attend() noexcept;
  // Waits until nothing is left to do, and joins the threads. False: the deadline passed first.
  static bool finish(Deadline deadline) noexcept;
#if HEDDLE_CHECKED
  // An execution begins: what a failed one has left here is none of its.
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

// Deleter of what threads and devices hang on. Does nothing in a forked child; where waiting is forbidden it leaves the
// object to the reaper, as its end joins threads, perhaps the calling one. T is Reapable, and deletes itself.
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
