// HandlerThread: runs the completion handlers of all streams of one runtime.
//
// The thread starts with the first handler. It takes the lines that have something to run in the order in which they
// became ready, a bounded number of handlers each, so that no stream starves another. Where it may spin, a registration
// wakes it in advance, so that both wake-ups of an idle runtime, the worker's and its own, happen at the same time; one
// that came too early is tried again after ever more registrations. It holds no lock while a handler runs. At shutdown,
// handlers whose ticket has not completed by the deadline are told kAbandoned; where a handler does not return, a fresh
// thread tells the rest, and this object must then outlive the process's use of it (stop() says so).
//
// Thread safety: all members, from any thread; stop() by one thread. Locks: mutex_ (kHandlers), never held with a
// line's mutex, and not taken to make a line ready while the handler thread is awake. Invariants: 1. A line is among
// the ready ones at most once (CompletionLine::claim_schedule). 2. Only threads of the current generation take entries,
// so a thread that comes back late finds nothing to do. 3. Who makes a line ready pushes it before looking at asleep_,
// and the handler thread sets asleep_ before looking at ready_ (both sequentially consistent): one sees the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <vector>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/limits.hpp"
#include "heddle/statistics.hpp"
#include "heddle/stream/completion_line.hpp"
#include "heddle/stream/ready_lines.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

class HandlerThread {
 public:
  // `spins`: with nothing to run, it spins for `limits.spin_max` before it sleeps, and for `spin_expecting` where the
  // line that it served last has handlers that wait, or a registration has just woken it.
  HandlerThread(const Limits& limits, bool spins, std::chrono::microseconds spin_expecting,
                HandlerFailureHook on_failure);
  ~HandlerThread();  // REQUIRES: stop() returned true, or nothing was ever added
  HandlerThread(const HandlerThread&) = delete;
  HandlerThread& operator=(const HandlerThread&) = delete;

  // Puts a handler into `line`; it runs once the entry's ticket is complete. Starts the thread at first use. False: the
  // runtime has ended, and the handler was not taken.
  bool add(CompletionLine& line, CompletionLine::Entry&& entry);
  // completed() of the line's queue advanced. Any thread; costs one load when no handler is ripe.
  void on_progress(CompletionLine& line) noexcept {
    if (line.ripe(line.queue().completed()) && !schedule(line)) make_way(line);
  }

  // Waits until the handlers of `lines` are done or the deadline passed, closes the lines, tells the remaining ones
  // kAbandoned, and ends the thread; about a second beyond the deadline at most, and not beyond `most`. Returns false
  // when some handler has not returned or was not told yet: threads of this object then still run, and tell the rest.
  // REQUIRES: not called from a handler.
  bool stop(const std::vector<CompletionLine*>& lines, sync::Deadline deadline,
            sync::Deadline most = sync::Deadline::never());

  // A hint: it has not slept since the last handler, or was woken for the next.
  bool awake() const noexcept { return started_.load(sync::relaxed) && !asleep_.load(sync::relaxed); }

  // Adds what is counted here, not in the lines, to `statistics`.
  void add_statistics(HandlerStatistics& statistics) const;

 private:
  class Task;
  struct Worker {
    sync::Thread thread;
    sync::Atomic<bool> ended{false};
    std::shared_ptr<Executor> executor{};  // for a thread that destroys executors: its next
  };
  static bool has_ended(const Worker& worker) noexcept { return worker.ended.load(sync::acquire); }
  // Above every ticket, below what an empty line publishes.
  static constexpr Ticket kAnyTicket{std::numeric_limits<std::uint64_t>::max() - 1};
  static constexpr int kTurn = 64;  // handlers of one line before the next line's turn
  static constexpr unsigned kLateLists = 4;
  static constexpr unsigned kMostEarlySkips = 1023;
  static constexpr std::size_t kMostSlowest = 16;
  static constexpr std::size_t kMostWorkers = 8;     // the first, and replacements for those that never return
  static constexpr std::size_t kMostDestroying = 8;  // threads that destroy an executor

  // False: the line is among the ready ones already.
  bool schedule(CompletionLine& line) noexcept;
  void make_way(CompletionLine& line) noexcept;
  void wake() noexcept;
  void wake_early() noexcept;
  void sleep() HEDDLE_REQUIRES(mutex_);
  void judge_early_wake(bool in_time) HEDDLE_REQUIRES(mutex_);
  void start_worker(std::uint64_t generation) HEDDLE_REQUIRES(mutex_);
  void work(std::uint64_t generation, Worker& worker);
  void spin(bool expecting) const;
  // True: handlers of the line wait for their tickets.
  bool run_turn(CompletionLine& line, std::uint64_t generation);
  CompletionLine::Outcome run_entry(CompletionLine& line, CompletionLine::Entry&& entry);
  CompletionLine::Outcome hand_over(CompletionLine& line, CompletionLine::Entry&& entry, const Status& status);
  CompletionLine::Outcome call(CompletionLine& line, CompletionLine::Entry& entry, const Status& status,
                               const char* place) noexcept;
  void announce_finished() noexcept;
  void report_failure(CompletionLine& line, const CompletionLine::Entry& entry) noexcept;
  void note_slow(StreamId stream, const std::string& name, sync::Duration took) noexcept;
  // Drops the library's reference. The last one's destructor may wait for handlers that this thread has yet to run: it
  // runs on a thread of its own then. Here where that cannot be started, or another owner let go at the same moment.
  void let_go(std::shared_ptr<Executor> executor) noexcept;
  void destroy_executors(Worker& worker) noexcept;
  bool end_threads(bool done, sync::Deadline deadline, sync::Deadline most);
  bool wait_until_done(const std::vector<CompletionLine*>& lines, sync::Deadline deadline);

  const Limits limits_;
  const bool spins_;
  const std::chrono::microseconds spin_expecting_;
  const HandlerFailureHook on_failure_;
  sync::Atomic<std::uint64_t> generation_{0};
  sync::Atomic<bool> started_{false};
  sync::Atomic<bool> abandoning_{false};
  sync::Atomic<bool> stopping_{false};
  sync::Atomic<int> scheduled_on_{-1};       // the processor of the thread that made the last line ready
  sync::Atomic<std::uint64_t> finished_{0};  // counts while stopping: tells a slow handler thread from a stuck one
  sync::Atomic<int> in_executors_{0};        // workers inside a user's executor: its execute(), its destructor
  mutable sync::Mutex mutex_{Rank::kHandlers};
  sync::ConditionVariable ready_changed_;
  sync::ConditionVariable one_finished_;
  ReadyLines ready_;                  // taken from under mutex_, pushed to without it
  sync::Atomic<bool> asleep_{false};  // written under mutex_
  bool woken_early_ HEDDLE_GUARDED_BY(mutex_) = false;
  unsigned early_skips_ HEDDLE_GUARDED_BY(mutex_) = 0;    // registrations that do not wake it in advance
  unsigned early_backoff_ HEDDLE_GUARDED_BY(mutex_) = 0;  // as many after the next wake-up that comes too early
  bool ending_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::uint64_t failed_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint64_t slow_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::vector<SlowHandler> slowest_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Worker>> workers_ HEDDLE_GUARDED_BY(mutex_);
  std::list<Worker> destroying_ HEDDLE_GUARDED_BY(mutex_);
  std::list<std::shared_ptr<Executor>> undestroyed_ HEDDLE_GUARDED_BY(mutex_);  // for whichever of those is first
};

}  // namespace HEDDLE_NS
