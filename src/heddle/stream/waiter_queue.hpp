// WaiterQueue: the threads that wait for a lane, in order of arrival. A lane is handed over directly: it belongs to the
// first waiter before any newcomer sees it.
//
// Only the first waiter looks for a lane itself, so whoever stops being first wakes the next: every notification is
// sent from here.
//
// Thread safety: any() from any thread; the rest under the owner's mutex, which is the one that waiters wait with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

class Lane;

// One thread that waits.
struct LaneWaiter {
  sync::ConditionVariable woken;
  Lane* lane = nullptr;  // what it was given
};

class WaiterQueue {
 public:
  // A hint: some thread has joined and not left.
  bool any() const noexcept { return waiting_.load(sync::relaxed) != 0; }
  bool empty() const noexcept { return queue_.empty(); }
  std::size_t size() const noexcept { return queue_.size(); }
  bool is_first(const LaneWaiter& waiter) const noexcept { return !queue_.empty() && queue_.front() == &waiter; }

  void join(LaneWaiter& waiter) {
    queue_.push_back(&waiter);
    waiting_.fetch_add(1, sync::relaxed);
  }
  // It waits no longer, whether or not it was given a lane.
  void leave(const LaneWaiter& waiter) noexcept {
    waiting_.fetch_sub(1, sync::relaxed);
    if (std::erase(queue_, &waiter) != 0) wake_first();
  }
  // Gives `lane` to the first waiter. REQUIRES: not empty.
  void hand_over(Lane* lane) noexcept {
    LaneWaiter* const first = queue_.front();
    queue_.pop_front();
    first->lane = lane;
    if (!HEDDLE_PLANT(pool_gives_without_notify)) first->woken.notify_one();
    wake_first();
  }
  // Something that the first waiter looks for may be there.
  void wake_first() noexcept {
    if (!queue_.empty()) queue_.front()->woken.notify_one();
  }
  void wake_all() noexcept {
    for (LaneWaiter* waiter : queue_) waiter->woken.notify_one();
  }

 private:
  std::deque<LaneWaiter*> queue_;
  sync::Atomic<std::uint32_t> waiting_{0};
};

}  // namespace HEDDLE_NS
