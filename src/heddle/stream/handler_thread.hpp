// HandlerThread: runs the completion handlers of all streams of one runtime.
//
// The thread starts with the first handler. It takes the queues that have something to run in the order in which they
// became ready, a bounded number of handlers each, so that no stream starves another. Where it may spin, a registration
// may wake it in advance (WakePolicy). At shutdown, handlers whose ticket has not completed by the deadline receive
// kAbandoned; where a handler does not return, a fresh thread runs the rest, and this object must then outlive the
// process's use of it (stop() says so).
//
// Thread safety: all members, from any thread; stop() by one thread. Locks: mutex_ (kHandlers), never held with a
// queue's mutex, and not taken to make a queue ready while the handler thread is awake. Invariants: 1. A queue is among
// the ready ones at most once (HandlerQueue::claim_schedule). 2. Only threads of the current generation take entries,
// so a thread that comes back late finds nothing to do. 3. A thread that makes a queue ready pushes it before it looks
// at asleep_, and the handler thread sets asleep_ before it looks at ready_ (both sequentially consistent): one sees
// the other.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/limits.hpp"
#include "heddle/statistics.hpp"
#include "heddle/stream/finish_count.hpp"
#include "heddle/stream/handler_queue.hpp"
#include "heddle/stream/handler_runner.hpp"
#include "heddle/stream/ready_queue.hpp"
#include "heddle/stream/wake_policy.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

class HandlerThread {
 public:
  HandlerThread(const Limits& limits, SpinTimes spin_times, HandlerFailureHook on_failure);
  ~HandlerThread();  // REQUIRES: stop() returned true, or nothing was ever added
  HandlerThread(const HandlerThread&) = delete;
  HandlerThread& operator=(const HandlerThread&) = delete;

  // Puts a handler into `queue`; it runs once the entry's ticket is complete. Starts the thread at first use. False:
  // the runtime has ended, and the handler was not taken.
  bool add(HandlerQueue& queue, HandlerQueue::Entry&& entry);
  // completed() of the queue's queue advanced. Any thread; costs one load when no handler is ripe.
  void on_progress(HandlerQueue& queue) noexcept {
    if (queue.ripe(queue.device_queue().completed()) && !schedule(queue)) yield_if_late(queue);
  }

  // Waits until the handlers of `queues` are done or the deadline passed, closes the queues, runs the remaining ones
  // with kAbandoned, and ends the thread; about a second beyond the deadline at most, and not beyond `most`. Returns
  // false when some handler has not returned or has not been called yet: threads of this object then still run, and
  // call the rest. REQUIRES: not called from a handler.
  bool stop(const std::vector<HandlerQueue*>& queues, sync::Deadline deadline,
            sync::Deadline most = sync::Deadline::never());

  // A hint: it has not slept since the last handler, or was woken for the next.
  bool awake() const noexcept { return started_.load(sync::relaxed) && !asleep_.load(sync::relaxed); }

  // Adds what is counted here, not in the queues, to `statistics`.
  void add_statistics(HandlerStatistics& statistics) const { runner_.add_statistics(statistics); }

 private:
  struct Worker {
    sync::Thread thread{};
    sync::Atomic<bool> ended{false};
  };
  // Above every ticket, below what an empty queue publishes.
  static constexpr Ticket kAnyTicket{std::numeric_limits<std::uint64_t>::max() - 1};
  static constexpr int kTurn = 64;                // handlers of one queue before the next queue's turn
  static constexpr std::size_t kMostWorkers = 8;  // the first, and replacements for those that never return

  // False: the queue is among the ready ones already.
  bool schedule(HandlerQueue& queue) noexcept;
  static void yield_if_late(HandlerQueue& queue) noexcept;
  void wake() noexcept;
  void wake_early() noexcept;
  void sleep() HEDDLE_REQUIRES(mutex_);
  void start_worker(std::uint64_t generation) HEDDLE_REQUIRES(mutex_);
  void work(std::uint64_t generation, Worker& worker);
  void spin(bool expecting) const;
  // True: handlers of the queue wait for their tickets.
  bool run_turn(HandlerQueue& queue, std::uint64_t generation);
  bool wait_until_done(const std::vector<HandlerQueue*>& queues, sync::Deadline deadline);
  // `done`: no handler is pending, so that the workers are on their way out, unless one is inside a user's executor,
  // whose task may have ended before execute() did.
  bool end_threads(bool done, sync::Deadline deadline, sync::Deadline most);

  const SpinTimes spin_times_;
  FinishCount finished_;
  HandlerRunner runner_;
  sync::Atomic<std::uint64_t> generation_{0};
  sync::Atomic<bool> started_{false};
  sync::Atomic<bool> abandoning_{false};
  sync::Atomic<int> scheduled_on_{-1};  // the processor of the thread that made the last queue ready
  mutable sync::Mutex mutex_{Rank::kHandlers};
  sync::ConditionVariable ready_changed_;
  ReadyQueue ready_;                  // taken from under mutex_, pushed to without it
  sync::Atomic<bool> asleep_{false};  // written under mutex_
  WakePolicy policy_ HEDDLE_GUARDED_BY(mutex_);
  bool ending_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Worker>> workers_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS
