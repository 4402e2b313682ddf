// FinishCount: lets the end of a runtime wait for handlers, and for threads that end. Costs one load per handler before
// that.
//
// Thread safety: all members. Locks: mutex_ (kHandlers), never held with another of that rank.
// Invariant: whatever a waiter looks for is stored before it is announced, so no wake-up is lost.
#pragma once

#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

class FinishCount {
 public:
  // From now on handlers are counted.
  void start() noexcept { counting_.store(true, sync::seq_cst); }
  // A handler has ended.
  void announce_handler() noexcept {
    if (!counting_.load(sync::seq_cst)) return;
    sync::MutexLock lock(mutex_);
    finished_.fetch_add(1, sync::relaxed);
    if (!HEDDLE_PLANT(handlers_finish_quietly)) changed_.notify_all();
  }
  // A thread has ended.
  void announce_thread() noexcept {
    sync::MutexLock lock(mutex_);
    changed_.notify_all();
  }

  // A hint.
  std::uint64_t finished() const noexcept { return finished_.load(sync::relaxed); }
  // What was counted up to now; for wait_for_more().
  std::uint64_t finished_exactly() const {
    sync::MutexLock lock(mutex_);
    return finished_.load(sync::relaxed);
  }
  // Waits until more than `seen` handlers have finished; false when the deadline passed first.
  bool wait_for_more(std::uint64_t seen, sync::Deadline deadline) {
    return wait_until([&] { return finished_.load(sync::relaxed) != seen; }, deadline);
  }
  // Waits until `holds`, which is called under the mutex after each announcement; its last answer.
  template <class Holds>
  bool wait_until(const Holds& holds, sync::Deadline deadline) {
    sync::MutexLock lock(mutex_);
    for (bool waits = true;;) {
      if (holds()) return true;
      if (!waits) return false;
      waits = changed_.wait_until(mutex_, deadline);
    }
  }

 private:
  mutable sync::Mutex mutex_{Rank::kHandlers};
  sync::ConditionVariable changed_;
  sync::Atomic<bool> counting_{false};
  sync::Atomic<std::uint64_t> finished_{0};  // written under mutex_
};

}  // namespace HEDDLE_NS
