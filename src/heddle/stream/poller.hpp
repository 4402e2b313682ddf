// Poller: looks for progress on behalf of backends that write tickets without telling anybody (DeviceInfo::announces).
//
// One thread per device; it runs no user code and calls the driver only through Device::poll(): while something is
// watched or the device is busy, 10 ms after the last progress, which a faulted device does not make, and every 100 ms.
// It spins for a while after each progress, then looks every kInterval; while no queue is watched it sleeps,
// until a fault may have to be found or, on an idle device, for good.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kPoller). Invariants: 1. A watcher calls wake() after
// Queue::watch(), and the poller looks for watchers under the mutex before it parks, so none is missed. 2. The poller
// says that it rests before it asks whether the device is busy, and note_work() is called after a submit (both
// sequentially consistent): one of the two sees the other.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

class Poller {
 public:
  static constexpr std::chrono::microseconds kInterval{20};
  static constexpr std::chrono::milliseconds kFaultInterval{10};  // without progress
  // In any case: the driver may keep the call for 70 us, during which no ticket is looked for.
  static constexpr std::chrono::milliseconds kQuestionInterval{100};

  // `spin_time`: asked after progress for how long to spin; by the poller's thread, so it must not wait.
  Poller(Device& device, CompletionListener& listener, std::function<std::chrono::microseconds()> spin_time);
  ~Poller();  // ends the thread
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // `queue` lives until remove().
  void add(Queue& queue);
  void remove(Queue& queue) noexcept;
  // A queue has just been watched.
  void wake() noexcept;
  // A list was handed to the device. One load while the device was busy already.
  void note_work() noexcept {
    if (resting_.load(sync::seq_cst)) [[unlikely]]
      end_rest();
  }

 private:
  struct Watched {
    Queue* queue;
    Ticket seen{};
  };
  void work();
  bool any_watched() const HEDDLE_REQUIRES(mutex_);
  // Sleeps while no queue is watched, asking for faults meanwhile.
  void rest() HEDDLE_REQUIRES(mutex_);
  void put_off_questions() HEDDLE_REQUIRES(mutex_);
  void end_rest() noexcept;
  // Fills moved_.
  void look() HEDDLE_REQUIRES(mutex_);

  Device& device_;
  CompletionListener& listener_;
  const std::function<std::chrono::microseconds()> spin_time_;
  mutable sync::Mutex mutex_{Rank::kPoller};
  sync::ConditionVariable changed_;
  std::vector<Watched> queues_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<Queue*> moved_ HEDDLE_GUARDED_BY(mutex_);  // since the last look; room for all of queues_
  // When to ask the device for faults: the first moves on with every progress.
  sync::Deadline next_fault_ HEDDLE_GUARDED_BY(mutex_) = sync::Deadline::never();
  sync::Deadline next_question_ HEDDLE_GUARDED_BY(mutex_) = sync::Deadline::never();
  Queue* announcing_ HEDDLE_GUARDED_BY(mutex_) = nullptr;  // the listener is being called with it
  bool stopping_ HEDDLE_GUARDED_BY(mutex_) = false;
  sync::Atomic<bool> resting_{false};
  bool has_work_ HEDDLE_GUARDED_BY(mutex_) = false;  // noted, and no poll since
  sync::Thread thread_;                              // last: starts when the rest is there
};

}  // namespace HEDDLE_NS
