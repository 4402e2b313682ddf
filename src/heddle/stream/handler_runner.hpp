// HandlerRunner: runs one completion handler after the other, each with its ticket's status: on the thread that calls
// it, or by way of the user's executor. No lock is held meanwhile, and what a handler throws goes to the hook.
//
// Thread safety: all members. Locks: none of its own.
// Invariant: a handler that was taken out of its queue is called exactly once, and counted in its queue after it was
// destroyed.
#pragma once

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/limits.hpp"
#include "heddle/stream/executor_ends.hpp"
#include "heddle/stream/finish_count.hpp"
#include "heddle/stream/handler_queue.hpp"
#include "heddle/stream/handler_tally.hpp"
#include "heddle/sync/clock.hpp"

namespace HEDDLE_NS {

class HandlerRunner {
 public:
  // `owner`: whose handlers they are (InsideHandler). `finished` hears of every handler that ends elsewhere.
  HandlerRunner(const HandlerThread& owner, FinishCount& finished, sync::Duration slow_handler,
                HandlerFailureHook on_failure)
      : owner_(owner),
        finished_(finished),
        slow_handler_(slow_handler),
        on_failure_(std::move(on_failure)),
        executors_(owner, finished) {}

  // Runs an entry that was taken out of `queue`, or hands it to its executor. kNone: it went to an executor, and is
  // counted where it ends.
  HandlerQueue::Outcome run(HandlerQueue& queue, HandlerQueue::Entry&& entry);

  // Whether some thread is inside a user's executor: its execute(), or its destructor.
  bool inside_executor() const noexcept { return in_executors_.load(sync::acquire) != 0; }
  ExecutorEnds& executors() noexcept { return executors_; }
  const ExecutorEnds& executors() const noexcept { return executors_; }
  // Adds what is counted here, not in the queues.
  void add_statistics(HandlerStatistics& statistics) const { tally_.add_to(statistics); }

 private:
  class Task;
  HandlerQueue::Outcome hand_over(HandlerQueue& queue, HandlerQueue::Entry&& entry, const Status& status);
  // Runs the handler and destroys it; only then may the caller count it as finished. `place`: null where it may wait.
  HandlerQueue::Outcome call(HandlerQueue& queue, HandlerQueue::Entry& entry, const Status& status,
                             const char* place) noexcept;
  void report_failure(HandlerQueue& queue, const HandlerQueue::Entry& entry) noexcept;

  const HandlerThread& owner_;
  FinishCount& finished_;
  const sync::Duration slow_handler_;
  const HandlerFailureHook on_failure_;
  HandlerTally tally_;
  ExecutorEnds executors_;
  sync::Atomic<int> in_executors_{0};
};

}  // namespace HEDDLE_NS
