#include "heddle/stream/handler_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

// A handler on its way through a user's executor. Whoever destroys it without having run it tells the handler.
class HandlerThread::Task {
 public:
  Task(HandlerThread& owner, CompletionLine& line, CompletionLine::Entry&& entry, Status status)
      : owner_(owner), line_(line), entry_(std::move(entry)), status_(std::move(status)) {}
  ~Task() {
    if (!ran_.exchange(true, sync::acq_rel) && !sync::in_forked_child() && !HEDDLE_PLANT(task_drops_quietly)) {
      finish(Status(ErrorKind::kAbandoned, "the executor dropped the completion handler without running it"),
             kInHandler);
    }
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  void run() {
    if (ran_.exchange(true, sync::acq_rel)) return;
    finish(status_, nullptr);
  }

 private:
  void finish(const Status& status, const char* place) noexcept {
    line_.note_finished_elsewhere(owner_.call(line_, entry_, status, place));
    owner_.announce_finished();
  }

  HandlerThread& owner_;
  CompletionLine& line_;
  CompletionLine::Entry entry_;  // entry_.keep owns both
  Status status_;
  sync::Atomic<bool> ran_{false};
};

HandlerThread::HandlerThread(const Limits& limits, bool spins, SpinTimes spin_times, HandlerFailureHook on_failure)
    : limits_(limits), spins_(spins), spin_times_(spin_times), on_failure_(std::move(on_failure)) {}

HandlerThread::~HandlerThread() {
  sync::MutexLock lock(mutex_);
  HEDDLE_CHECK(workers_.empty() && destroying_.empty(), "the handler thread was destroyed before it was stopped");
}

bool HandlerThread::add(CompletionLine& line, CompletionLine::Entry&& entry) {
  if (!started_.load(sync::acquire)) {
    sync::MutexLock lock(mutex_);
    if (ending_) return false;
    if (workers_.empty() || HEDDLE_PLANT(handlers_start_twice)) start_worker(generation_.load(sync::relaxed));
    started_.store(true, sync::release);
  }
  if (!line.add(std::move(entry))) return false;
  if (line.ripe(line.queue().completed_after_watch())) {
    schedule(line);
  } else if (spins_ && asleep_.load(sync::relaxed)) {
    wake_early();
  }
  return true;
}

bool HandlerThread::schedule(CompletionLine& line) noexcept {
  if (!line.claim_schedule()) return false;
  scheduled_on_.store(sync::current_processor(), sync::relaxed);
  ready_.push(line);
  if (asleep_.load(sync::seq_cst) && !HEDDLE_PLANT(handlers_scheduled_without_notify)) wake();
  return true;
}

void HandlerThread::make_way(CompletionLine& line) noexcept {
  if (WakePolicy::yields_to_handlers(line.note_late())) sync::yield();
}

void HandlerThread::sleep() {
  asleep_.store(true, sync::seq_cst);
  if (!ready_.empty() && !HEDDLE_PLANT(handlers_sleep_without_looking)) {
    asleep_.store(false, sync::relaxed);
  } else {
    ready_changed_.wait(mutex_);  // who wakes it clears asleep_; a thread that comes back late must not
  }
}

void HandlerThread::wake() noexcept {
  {
    sync::MutexLock lock(mutex_);
    if (!asleep_.exchange(false, sync::relaxed)) return;
  }
  ready_changed_.notify_one();
}

void HandlerThread::wake_early() noexcept {
  {
    sync::MutexLock lock(mutex_);
    if (!asleep_.load(sync::relaxed)) return;
    if (!policy_.on_registration()) return;
    asleep_.store(false, sync::relaxed);
  }
  ready_changed_.notify_one();
}

void HandlerThread::start_worker(std::uint64_t generation) {
  workers_.push_back(std::make_unique<Worker>());
  try {
    Worker& worker = *workers_.back();
    worker.thread = sync::Thread("heddle-handler", [this, generation, &worker] { work(generation, worker); });
  } catch (...) {
    if (!HEDDLE_PLANT(handlers_count_unstarted)) workers_.pop_back();
    throw;
  }
}

void HandlerThread::work(std::uint64_t generation, Worker& worker) {
  sync::prefer_short_turns();  // it is woken by threads that go on running, and has little to do each time
  const sync::NoWaiting no_waiting("the handler thread");  // whatever of the user's is destroyed on it
  bool expecting = false;
  {
    sync::MutexLock lock(mutex_);
    while (generation_.load(sync::relaxed) == generation) {
      CompletionLine* const line = ready_.take();
      if (line == nullptr) {
        if (ending_) break;
        if (spins_) {
          lock.unlock();
          spin(expecting);
          lock.lock();
        }
        if (ready_.empty() && !ending_ && generation_.load(sync::relaxed) == generation) {
          policy_.on_sleep();
          sleep();
          expecting = policy_.woken_early();
        }
        continue;
      }
      policy_.on_work();
      lock.unlock();
      expecting = run_turn(*line, generation);
      lock.lock();
    }
    worker.ended.store(true, sync::release);
    one_finished_.notify_all();
  }
}

void HandlerThread::spin(bool expecting) const {
  if (!WakePolicy::spins_on(sync::current_processor(), scheduled_on_.load(sync::relaxed))) return;
  const sync::Deadline end = sync::Deadline::after(expecting ? spin_times_.expecting : spin_times_.usual);
  while (ready_.none_new() && !end.passed()) sync::spin_wait();
}

bool HandlerThread::run_turn(CompletionLine& line, std::uint64_t generation) {
  using Outcome = CompletionLine::Outcome;
  line.end_schedule();
  Outcome previous = Outcome::kNone;
  for (int count = 0; count < kTurn && generation_.load(sync::acquire) == generation; ++count) {
    const Ticket limit = abandoning_.load(sync::acquire) ? kAnyTicket : line.queue().completed_after_watch();
    CompletionLine::Entry entry;
    const bool taken = line.take(limit, &entry, previous);
    if (previous != Outcome::kNone) announce_finished();
    if (!taken) return line.waiting();
    previous = run_entry(line, std::move(entry));
    sync::end_forked_child();  // a handler forked, and the child came back from it
  }
  line.note_finished(previous);
  if (previous != Outcome::kNone) announce_finished();
  schedule(line);  // its next turn, or the next generation's
  return true;
}

// kNone: it went to an executor, and is counted where it ends.
CompletionLine::Outcome HandlerThread::run_entry(CompletionLine& line, CompletionLine::Entry&& entry) {
  Status status;
  if (line.queue().completed() < entry.ticket) {
    status = {ErrorKind::kAbandoned, [&] {
                return fmt::format("the runtime shut down before ticket {} of stream {} was complete",
                                   entry.ticket.value, line.queue().stream().value);
              }};
  } else {
    status = line.queue().failures().status_of(entry.ticket);
  }
  if (entry.options.executor == nullptr) return call(line, entry, status, kInHandler);
  return hand_over(line, std::move(entry), status);
}

CompletionLine::Outcome HandlerThread::hand_over(CompletionLine& line, CompletionLine::Entry&& entry,
                                                 const Status& status) {
  // The task does not own the executor: else the last owner could be one of the executor's own threads.
  std::shared_ptr<Executor> executor = std::move(entry.options.executor);
  const Counted inside(in_executors_);
  std::shared_ptr<Task> task;
  try {
    sync::require_host_memory();
    task = std::make_shared<Task>(*this, line, std::move(entry), status);
  } catch (const std::bad_alloc&) {  // the entry is still here
    line.note_finished_elsewhere(
        call(line, entry,
             {ErrorKind::kAbandoned,
              "host memory ran out on the way to the completion handler's executor; its work may be done: "
              "synchronize() tells"},
             kInHandler));
    announce_finished();
    let_go(std::move(executor));
    return CompletionLine::Outcome::kNone;
  }
  const sync::NoWaiting no_waiting("an executor called by the handler thread");
  sync::assert_no_locks_held("a user's executor");
  try {
    executor->execute([task] { task->run(); });
  } catch (...) {  // NOLINT(bugprone-empty-catch): its error is told another way
    // The task says so to its handler when it goes, unless the executor ran or kept it all the same.
  }
  task = nullptr;
  let_go(std::move(executor));
  return CompletionLine::Outcome::kNone;
}

// Runs the handler and destroys it; only then may the caller count it as finished. `place`: null where it may wait.
CompletionLine::Outcome HandlerThread::call(CompletionLine& line, CompletionLine::Entry& entry, const Status& status,
                                            const char* place) noexcept {
  sync::assert_no_locks_held("a completion handler");
  const sync::TimePoint start = sync::now();
  {
    const std::optional<sync::NoWaiting> no_waiting = refuse_waiting(place);
    const InsideHandler inside(*this);
    try {
      entry.handler(status);
    } catch (...) {
      if (!HEDDLE_PLANT(handler_failure_untold)) report_failure(line, entry);
    }
    entry.handler = nullptr;
  }
  if (sync::in_forked_child()) return CompletionLine::Outcome::kNone;
  if (entry.is_library_own) return CompletionLine::Outcome::kLibraryOwn;
  const sync::Duration took = sync::now() - start;
  if (took > limits_.slow_handler) note_slow(line.queue().stream(), entry.options.name, took);
  return status.kind() == ErrorKind::kAbandoned ? CompletionLine::Outcome::kAbandoned : CompletionLine::Outcome::kRun;
}

// While stopping: stop() looks again.
void HandlerThread::announce_finished() noexcept {
  if (!stopping_.load(sync::seq_cst)) return;
  sync::MutexLock lock(mutex_);
  finished_.fetch_add(1, sync::relaxed);
  if (!HEDDLE_PLANT(handlers_finish_quietly)) one_finished_.notify_all();
}

void HandlerThread::report_failure(CompletionLine& line, const CompletionLine::Entry& entry) noexcept {
  {
    sync::MutexLock lock(mutex_);
    ++failed_;
  }
  if (!on_failure_) return;
  try {
    on_failure_({entry.options.name, line.queue().stream(), std::current_exception()});
  } catch (...) {  // NOLINT(bugprone-empty-catch): it must not end the handler thread
    // The hook's own exception has nowhere to go.
  }
}

void HandlerThread::note_slow(StreamId stream, const std::string& name, sync::Duration took) noexcept {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took);
  sync::MutexLock lock(mutex_);
  ++slow_;
  const auto before =
      std::find_if(slowest_.begin(), slowest_.end(), [&](const SlowHandler& other) { return other.took < micros; });
  try {
    slowest_.insert(before, {name, stream, micros});
  } catch (...) {
    return;  // no memory for the name: it is counted all the same
  }
  if (slowest_.size() > kMostSlowest) slowest_.pop_back();
}

void HandlerThread::add_statistics(HandlerStatistics& statistics) const {
  sync::MutexLock lock(mutex_);
  statistics.failed += failed_;
  statistics.slow += slow_;
  statistics.slowest = slowest_;
}

}  // namespace HEDDLE_NS
