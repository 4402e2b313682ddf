// The end of the handler thread: every handler is told, by its own thread or, where one never returns, by another.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <list>

#include "heddle/stream/handler_thread.hpp"
#include "heddle/stream/inside_handler.hpp"
#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS {
namespace {

// At shutdown: how long the handler thread may take for one abandoned handler before another thread takes over ...
constexpr std::chrono::milliseconds kStuckAfter{100};
// ... and for all of them, before stop() leaves the rest to it.
constexpr std::chrono::milliseconds kTellingMost{1000};

}  // namespace

void HandlerThread::let_go(std::shared_ptr<Executor> executor) noexcept {
  if (executor == nullptr || executor.use_count() != 1) return;
  std::list<Worker> ended;
  try {
    std::list<Worker> fresh(1);
    std::list<std::shared_ptr<Executor>> place(1);
    Worker& worker = fresh.front();
    sync::MutexLock lock(mutex_);
    for (auto at = destroying_.begin(); at != destroying_.end();) {
      const auto next = std::next(at);
      if (at->ended.load(sync::acquire)) ended.splice(ended.end(), destroying_, at);
      at = next;
    }
    if (destroying_.size() == kMostDestroying) {  // one of them takes it: none of these has ended
      place.front() = std::move(executor);
      undestroyed_.splice(undestroyed_.end(), place);
    } else if (!ending_) {
      worker.thread = sync::Thread("heddle-executor", [this, &worker] { destroy_executors(worker); });
      worker.executor = std::move(executor);
      destroying_.splice(destroying_.end(), fresh);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): it is destroyed here then
  }
  for (Worker& worker : ended) worker.thread.join();
  if (executor == nullptr) return;
  const sync::NoWaiting no_waiting("an executor destroyed by the handler thread");
  sync::assert_no_locks_held("an executor's destructor");
  executor.reset();
}

void HandlerThread::destroy_executors(Worker& worker) noexcept {
  sync::MutexLock lock(mutex_);  // by then it has its executor
  while (true) {
    std::shared_ptr<Executor> executor = std::move(worker.executor);
    lock.unlock();
    {
      const InsideHandler inside(*this);  // a shutdown waits for this thread, too
      executor.reset();
    }
    lock.lock();
    if (undestroyed_.empty()) break;
    worker.executor = std::move(undestroyed_.front());
    undestroyed_.pop_front();
  }
  worker.ended.store(true, sync::release);
  one_finished_.notify_all();
}

bool HandlerThread::wait_until_done(const std::vector<CompletionLine*>& lines, sync::Deadline deadline) {
  const auto done = [&] {
    return std::all_of(lines.begin(), lines.end(), [](CompletionLine* line) { return line->idle(); });
  };
  while (true) {
    std::uint64_t seen = 0;
    {
      sync::MutexLock lock(mutex_);
      seen = finished_.load(sync::relaxed);
    }
    if (done()) return true;  // without the mutex: it ranks below the lines'
    sync::MutexLock lock(mutex_);
    while (finished_.load(sync::relaxed) == seen) {
      if (!one_finished_.wait_until(mutex_, deadline)) break;
    }
    if (finished_.load(sync::relaxed) == seen) {
      lock.unlock();
      return done();
    }
  }
}

bool HandlerThread::stop(const std::vector<CompletionLine*>& lines, sync::Deadline deadline, sync::Deadline most) {
  stopping_.store(true, sync::seq_cst);
  wait_until_done(lines, deadline);
  for (CompletionLine* line : lines) line->close();
  // A thread that was still recording at the deadline may have added one since.
  bool done = wait_until_done(lines, sync::Deadline::at({}));
  abandoning_.store(true, sync::release);
  const sync::Deadline telling_end = sync::Deadline::after(kTellingMost).earlier(most);
  while (!done && !telling_end.passed()) {
    const std::uint64_t before = finished_.load(sync::relaxed);
    for (CompletionLine* line : lines) schedule(*line);
    done = wait_until_done(lines, sync::Deadline::after(kStuckAfter));
    if (done || finished_.load(sync::relaxed) != before) continue;
    // A handler keeps its thread, or an executor its task: a fresh thread tells whoever still waits in a line.
    const bool waiting =
        std::any_of(lines.begin(), lines.end(), [](CompletionLine* line) { return line->ripe(kAnyTicket); });
    sync::MutexLock lock(mutex_);
    if (!waiting || workers_.size() == kMostWorkers) break;
    try {
      start_worker(generation_.load(sync::relaxed) + 1);
    } catch (...) {
      continue;  // no thread to be had: the slow one goes on, until telling_end
    }
    generation_.fetch_add(1, sync::release);
    ready_changed_.notify_all();
  }
  return end_threads(done, deadline, most);
}

// `done`: no handler is pending, so that the workers are on their way out, unless one is inside a user's executor,
// whose task may have ended before execute() did.
bool HandlerThread::end_threads(bool done, sync::Deadline deadline, sync::Deadline most) {
  const sync::Deadline soon = sync::Deadline::after(kStuckAfter).earlier(most);
  const sync::Deadline late = deadline.time() > soon.time() ? deadline : soon;
  const auto leaves = [&](const std::unique_ptr<Worker>& worker) {
    return has_ended(*worker) || (done && in_executors_.load(sync::acquire) == 0);
  };
  std::vector<std::unique_ptr<Worker>> workers;  // taken out and put back without host memory
  std::list<Worker> destroying;
  bool all = false;
  {
    sync::MutexLock lock(mutex_);
    ending_ = true;
    ready_changed_.notify_all();
    for (bool waits = true;;) {
      all = std::all_of(workers_.begin(), workers_.end(), leaves) &&
            std::all_of(destroying_.begin(), destroying_.end(), has_ended);
      if (all || !waits) break;
      waits = one_finished_.wait_until(mutex_, done || !destroying_.empty() ? late : soon);
    }
    workers.swap(workers_);
    destroying.swap(destroying_);
  }
  std::erase_if(workers, [&](const std::unique_ptr<Worker>& worker) {
    if (!leaves(worker)) return false;
    worker->thread.join();
    return true;
  });
  destroying.remove_if([](Worker& worker) {
    if (!has_ended(worker)) return false;
    worker.thread.join();
    return true;
  });
  if (all) return true;
  sync::MutexLock lock(mutex_);
  workers_.swap(workers);
  destroying_.swap(destroying);
  return false;
}

}  // namespace HEDDLE_NS
