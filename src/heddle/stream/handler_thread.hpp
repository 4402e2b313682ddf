// HandlerThread: runs the completion handlers of all streams of one runtime.
//
// The thread starts with the first handler. It takes the lines that have something to run in the order in which they
// became ready, a bounded number of handlers each, so that no stream starves another. It holds no lock while a handler
// runs. At shutdown, handlers whose ticket has not completed by the deadline are told kAbandoned; where a handler does
// not return, a fresh thread tells the rest, and this object must then outlive the process's use of it (stop() says
// so).
//
// Thread safety: all members, from any thread; stop() by one thread. Locks: mutex_ (kHandlers), never held with a
// line's mutex. Invariants: 1. A line is in the ready list at most once (CompletionLine::claim_schedule). 2. Only
// threads of the current generation take entries, so a thread that comes back late finds nothing to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "heddle/base/limits.hpp"
#include "heddle/base/namespace.hpp"
#include "heddle/stream/completion.hpp"
#include "heddle/stream/completion_line.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

class HandlerThread {
 public:
  HandlerThread(const Limits& limits, bool spins, HandlerFailureHook on_failure);
  ~HandlerThread();  // REQUIRES: stop() returned true, or nothing was ever added
  HandlerThread(const HandlerThread&) = delete;
  HandlerThread& operator=(const HandlerThread&) = delete;

  // Puts a handler into `line`; it runs once the entry's ticket is complete. Starts the thread at first use. False: the
  // runtime has ended, and the handler was not taken.
  bool add(CompletionLine& line, CompletionLine::Entry&& entry);
  // completed() of the line's queue advanced. Any thread; costs one load when no handler is ripe.
  void on_progress(CompletionLine& line) noexcept {
    if (line.ripe(line.queue().completed())) schedule(line);
  }

  // Waits until the handlers of `lines` are done or the deadline passed, closes the lines, tells the remaining ones
  // kAbandoned, and ends the thread; about a second beyond the deadline at most. Returns false when some handler has
  // not returned or was not told yet: threads of this object then still run, and tell the rest. REQUIRES: not called
  // from a handler.
  bool stop(const std::vector<CompletionLine*>& lines, sync::Deadline deadline);

  // Adds what is counted here, not in the lines, to `statistics`.
  void add_statistics(HandlerStatistics& statistics) const;

 private:
  class Task;
  struct Worker {
    sync::Thread thread;
    sync::Atomic<bool> ended{false};
  };
  static constexpr int kTurn = 64;  // handlers of one line before the next line's turn
  static constexpr std::size_t kMostSlowest = 16;
  static constexpr std::size_t kMostWorkers = 8;  // the first, and replacements for those that never return

  void schedule(CompletionLine& line) noexcept;
  void start_worker() HEDDLE_REQUIRES(mutex_);
  void work(std::uint64_t generation, Worker& worker);
  void spin() const;
  void run_turn(CompletionLine& line, std::uint64_t generation);
  CompletionLine::Outcome run_entry(CompletionLine& line, CompletionLine::Entry&& entry);
  void hand_over(CompletionLine& line, CompletionLine::Entry&& entry, const Status& status);
  CompletionLine::Outcome call(CompletionLine& line, CompletionLine::Entry& entry, const Status& status,
                               const char* place) noexcept;
  void announce_finished() noexcept;
  void report_failure(CompletionLine& line, const CompletionLine::Entry& entry) noexcept;
  void note_slow(StreamId stream, const std::string& name, sync::Duration took) noexcept;
  bool wait_until_done(const std::vector<CompletionLine*>& lines, sync::Deadline deadline);

  const Limits limits_;
  const bool spins_;
  const HandlerFailureHook on_failure_;
  sync::Atomic<std::uint64_t> generation_{0};
  sync::Atomic<bool> started_{false};
  sync::Atomic<bool> abandoning_{false};
  sync::Atomic<bool> stopping_{false};
  sync::Atomic<bool> has_ready_{false};      // mirrors first_ready_, for spinning
  sync::Atomic<int> scheduled_on_{-1};       // the processor of the thread that made the last line ready
  sync::Atomic<std::uint64_t> finished_{0};  // counts while stopping: tells a slow handler thread from a stuck one
  mutable sync::Mutex mutex_{Rank::kHandlers};
  sync::ConditionVariable ready_changed_;
  sync::ConditionVariable one_finished_;
  CompletionLine* first_ready_ HEDDLE_GUARDED_BY(mutex_) = nullptr;
  CompletionLine* last_ready_ HEDDLE_GUARDED_BY(mutex_) = nullptr;
  bool asleep_ HEDDLE_GUARDED_BY(mutex_) = false;
  bool ending_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::uint64_t failed_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint64_t slow_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::vector<SlowHandler> slowest_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Worker>> workers_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS
