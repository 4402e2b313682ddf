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
  if (executor.use_count() != 1) return;
  std::list<Worker> ended;
  try {
    std::list<Worker> fresh(1);
    Worker& worker = fresh.front();
    sync::MutexLock lock(mutex_);
    for (auto at = destroying_.begin(); at != destroying_.end();) {
      const auto next = std::next(at);
      if (at->ended.load(sync::acquire)) ended.splice(ended.end(), destroying_, at);
      at = next;
    }
    if (destroying_.size() < kMostDestroying && !ending_) {
      worker.thread = sync::Thread("heddle-executor", [this, &worker] {
        {
          sync::MutexLock started(mutex_);  // by then it has its executor
        }
        {
          const InsideHandler inside(*this);  // a shutdown waits for this thread, too
          worker.executor.reset();
        }
        worker.ended.store(true, sync::release);
      });
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
    generation_.fetch_add(1, sync::release);
    ready_changed_.notify_all();
    start_worker();
  }
  std::vector<std::unique_ptr<Worker>> workers;
  std::list<Worker> destroying;
  {
    sync::MutexLock lock(mutex_);
    ending_ = true;
    ready_changed_.notify_all();
    workers.swap(workers_);
    destroying.swap(destroying_);
  }
  const sync::Deadline end = sync::Deadline::after(kStuckAfter).earlier(most);
  while (true) {
    std::erase_if(workers, [&](const std::unique_ptr<Worker>& worker) {
      // Once nothing is pending, every worker is on its way out.
      if (!done && !worker->ended.load(sync::acquire)) return false;
      worker->thread.join();
      return true;
    });
    destroying.remove_if([](Worker& worker) {
      if (!worker.ended.load(sync::acquire)) return false;
      worker.thread.join();
      return true;
    });
    if (workers.empty() && destroying.empty()) break;
    if (end.passed() && (destroying.empty() || deadline.passed())) break;
    sync::sleep_for(std::chrono::milliseconds(1));
  }
  if (workers.empty() && destroying.empty()) return true;
  sync::MutexLock lock(mutex_);
  workers_.swap(workers);
  destroying_.swap(destroying);
  return false;
}

}  // namespace HEDDLE_NS
