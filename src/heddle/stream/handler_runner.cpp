#include "heddle/stream/handler_runner.hpp"

#include <fmt/format.h>

#include <new>
#include <optional>
#include <utility>

#include "heddle/stream/inside_handler.hpp"
#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {
namespace {

using Outcome = HandlerQueue::Outcome;

// Counts for as long as it lives.
class Counted {
 public:
  explicit Counted(sync::Atomic<int>& count) noexcept : count_(count) { count_.fetch_add(1, sync::relaxed); }
  ~Counted() { count_.fetch_sub(1, sync::release); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  sync::Atomic<int>& count_;
};

constexpr const char* kInHandler = "a completion handler";

// Null leaves the thread's state as it is: an executor may run a task at once, on the handler thread.
std::optional<sync::NoWaiting> refuse_waiting(const char* place) {
  if (place == nullptr) return std::nullopt;
  return std::optional<sync::NoWaiting>(std::in_place, place);
}

Status status_of(Queue& queue, Ticket ticket) {
  if (queue.completed() >= ticket) return queue.failures().status_of(ticket);
  return {ErrorKind::kAbandoned, [&] {
            return fmt::format("the runtime shut down before ticket {} of stream {} was complete", ticket.value,
                               queue.stream().value);
          }};
}

}  // namespace

// A handler on its way through a user's executor. The thread that destroys it without having run it runs the handler,
// with kAbandoned.
class HandlerRunner::Task {
 public:
  Task(HandlerRunner& runner, HandlerQueue& queue, HandlerQueue::Entry&& entry, Status status)
      : runner_(runner), queue_(queue), entry_(std::move(entry)), status_(std::move(status)) {}
  ~Task() {
    if (ran_.exchange(true, sync::acq_rel) || sync::in_forked_child()) return;
    if (HEDDLE_PLANT(task_drops_quietly)) return;
    finish(Status(ErrorKind::kAbandoned, "the executor dropped the completion handler without running it"), kInHandler);
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  void run() {
    if (ran_.exchange(true, sync::acq_rel)) return;
    finish(status_, nullptr);
  }

 private:
  void finish(const Status& status, const char* place) noexcept {
    queue_.note_finished_elsewhere(runner_.call(queue_, entry_, status, place));
    runner_.finished_.announce_handler();
  }

  HandlerRunner& runner_;
  HandlerQueue& queue_;
  HandlerQueue::Entry entry_;  // entry_.keep owns both
  Status status_;
  sync::Atomic<bool> ran_{false};
};

Outcome HandlerRunner::run(HandlerQueue& queue, HandlerQueue::Entry&& entry) {
  const Status status = status_of(queue.device_queue(), entry.ticket);
  if (entry.options.executor == nullptr) return call(queue, entry, status, kInHandler);
  return hand_over(queue, std::move(entry), status);
}

Outcome HandlerRunner::hand_over(HandlerQueue& queue, HandlerQueue::Entry&& entry, const Status& status) {
  // The task does not own the executor: otherwise the last owner could be one of the executor's own threads.
  std::shared_ptr<Executor> executor = std::move(entry.options.executor);
  const Counted inside(in_executors_);
  std::shared_ptr<Task> task;
  try {
    sync::require_host_memory();
    task = std::make_shared<Task>(*this, queue, std::move(entry), status);
  } catch (const std::bad_alloc&) {  // the entry is still here
    queue.note_finished_elsewhere(
        call(queue, entry,
             {ErrorKind::kAbandoned,
              "host memory ran out on the way to the completion handler's executor; its work may be done: "
              "synchronize() tells"},
             kInHandler));
    finished_.announce_handler();
    executors_.let_go(std::move(executor));
    return Outcome::kNone;
  }
  const sync::NoWaiting no_waiting("an executor called by the handler thread");
  sync::assert_no_locks_held("a user's executor");
  try {
    executor->execute([task] { task->run(); });
  } catch (...) {  // NOLINT(bugprone-empty-catch): the task reports it
    // Unless the executor ran or kept the task all the same, its destructor runs the handler with kAbandoned.
  }
  task = nullptr;
  executors_.let_go(std::move(executor));
  return Outcome::kNone;
}

Outcome HandlerRunner::call(HandlerQueue& queue, HandlerQueue::Entry& entry, const Status& status,
                            const char* place) noexcept {
  sync::assert_no_locks_held("a completion handler");
  const sync::TimePoint start = sync::now();
  {
    const std::optional<sync::NoWaiting> no_waiting = refuse_waiting(place);
    const InsideHandler inside(owner_);
    try {
      entry.handler(status);
    } catch (...) {
      if (!HEDDLE_PLANT(handler_failure_untold)) report_failure(queue, entry);
    }
    entry.handler = nullptr;
  }
  if (sync::in_forked_child()) return Outcome::kNone;
  if (entry.is_library_own) return Outcome::kLibraryOwn;
  const sync::Duration took = sync::now() - start;
  if (took > slow_handler_) tally_.count_slow(queue.device_queue().stream(), entry.options.name, took);
  return status.kind() == ErrorKind::kAbandoned ? Outcome::kAbandoned : Outcome::kRun;
}

void HandlerRunner::report_failure(HandlerQueue& queue, const HandlerQueue::Entry& entry) noexcept {
  tally_.count_failed();
  if (!on_failure_) return;
  try {
    on_failure_({entry.options.name, queue.device_queue().stream(), std::current_exception()});
  } catch (...) {  // NOLINT(bugprone-empty-catch): it must not end the handler thread
    // The hook's own exception has nowhere to go.
  }
}

}  // namespace HEDDLE_NS
