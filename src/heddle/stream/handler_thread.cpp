#include "heddle/stream/handler_thread.hpp"

#include <algorithm>
#include <chrono>
#include <list>
#include <utility>

#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {
namespace {

// At shutdown: how long the handler thread may take for one abandoned handler before another thread takes over ...
constexpr std::chrono::milliseconds kStuckAfter{100};
// ... and for all of them, before stop() leaves the rest to it.
constexpr std::chrono::milliseconds kAbandoningMost{1000};

template <class Worker>
bool has_ended(const Worker& worker) noexcept {
  return worker.ended.load(sync::acquire);
}

}  // namespace

HandlerThread::HandlerThread(const Limits& limits, SpinTimes spin_times, HandlerFailureHook on_failure)
    : spin_times_(spin_times), runner_(*this, finished_, limits.slow_handler, std::move(on_failure)) {}

HandlerThread::~HandlerThread() {
  sync::MutexLock lock(mutex_);
  const bool stopped = workers_.empty();
  lock.unlock();
  HEDDLE_CHECK(stopped && runner_.executors().empty(), "the handler thread was destroyed before it was stopped");
}

bool HandlerThread::add(HandlerQueue& queue, HandlerQueue::Entry&& entry) {
  if (!started_.load(sync::acquire)) {
    sync::MutexLock lock(mutex_);
    if (ending_) return false;
    bool starts = workers_.empty();
    if (HEDDLE_PLANT(handlers_start_twice)) starts = true;
    if (starts) start_worker(generation_.load(sync::relaxed));
    started_.store(true, sync::release);
  }
  if (!queue.add(std::move(entry))) return false;
  if (queue.ripe(queue.device_queue().completed_after_watch())) {
    schedule(queue);
  } else if (spin_times_.spins && asleep_.load(sync::relaxed)) {
    wake_early();
  }
  return true;
}

bool HandlerThread::schedule(HandlerQueue& queue) noexcept {
  if (!queue.claim_schedule()) return false;
  scheduled_on_.store(sync::current_processor(), sync::relaxed);
  ready_.push(queue);
  const bool asleep = asleep_.load(sync::seq_cst);
  if (HEDDLE_PLANT(handlers_scheduled_without_notify)) return true;
  if (asleep) wake();
  return true;
}

void HandlerThread::yield_if_late(HandlerQueue& queue) noexcept {
  if (WakePolicy::yields_to_handlers(queue.note_late())) sync::yield();
}

void HandlerThread::sleep() {
  asleep_.store(true, sync::seq_cst);
  bool found = !ready_.empty();
  if (HEDDLE_PLANT(handlers_sleep_without_looking)) found = false;
  if (found) {
    asleep_.store(false, sync::relaxed);
  } else {
    ready_changed_.wait(mutex_);  // whoever wakes it clears asleep_; a thread that comes back late must not
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
    if (!asleep_.load(sync::relaxed) || !policy_.on_registration()) return;
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
      HandlerQueue* const queue = ready_.take();
      if (queue == nullptr) {
        if (ending_) break;
        if (spin_times_.spins) {
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
      expecting = run_turn(*queue, generation);
      lock.lock();
    }
    worker.ended.store(true, sync::release);
  }
  finished_.announce_thread();
}

void HandlerThread::spin(bool expecting) const {
  if (!WakePolicy::spins_on(sync::current_processor(), scheduled_on_.load(sync::relaxed))) return;
  const sync::Deadline end = sync::Deadline::after(expecting ? spin_times_.expecting : spin_times_.usual);
  while (ready_.none_new() && !end.passed()) sync::spin_wait();
}

bool HandlerThread::run_turn(HandlerQueue& queue, std::uint64_t generation) {
  using Outcome = HandlerQueue::Outcome;
  queue.end_schedule();
  Outcome previous = Outcome::kNone;
  for (int count = 0; count < kTurn && generation_.load(sync::acquire) == generation; ++count) {
    const Ticket limit = abandoning_.load(sync::acquire) ? kAnyTicket : queue.device_queue().completed_after_watch();
    HandlerQueue::Entry entry;
    const bool taken = queue.take(limit, &entry, previous);
    if (previous != Outcome::kNone) finished_.announce_handler();
    if (!taken) return queue.waiting();
    previous = runner_.run(queue, std::move(entry));
    sync::end_forked_child();  // a handler forked, and the child came back from it
  }
  queue.note_finished(previous);
  if (previous != Outcome::kNone) finished_.announce_handler();
  schedule(queue);  // its next turn, or the next generation's
  return true;
}

// --- the end: every handler is called, by its own thread or, where one never returns, by another ---

bool HandlerThread::wait_until_done(const std::vector<HandlerQueue*>& queues, sync::Deadline deadline) {
  const auto done = [&] {
    return std::all_of(queues.begin(), queues.end(), [](HandlerQueue* queue) { return queue->idle(); });
  };
  while (true) {
    const std::uint64_t seen = finished_.finished_exactly();
    if (done()) return true;  // without the mutex: it ranks below the queues'
    if (!finished_.wait_for_more(seen, deadline)) return done();
  }
}

bool HandlerThread::stop(const std::vector<HandlerQueue*>& queues, sync::Deadline deadline, sync::Deadline most) {
  finished_.start();
  wait_until_done(queues, deadline);
  for (HandlerQueue* queue : queues) queue->close();
  // A thread that was still recording at the deadline may have added one since.
  bool done = wait_until_done(queues, sync::Deadline::at({}));
  abandoning_.store(true, sync::release);
  const sync::Deadline abandoning_end = sync::Deadline::after(kAbandoningMost).earlier(most);
  while (!done && !abandoning_end.passed()) {
    const std::uint64_t before = finished_.finished();
    for (HandlerQueue* queue : queues) schedule(*queue);
    done = wait_until_done(queues, sync::Deadline::after(kStuckAfter));
    if (done || finished_.finished() != before) continue;
    // A handler keeps its thread, or an executor its task: a fresh thread calls what still waits in a queue.
    const bool waiting =
        std::any_of(queues.begin(), queues.end(), [](HandlerQueue* queue) { return queue->ripe(kAnyTicket); });
    sync::MutexLock lock(mutex_);
    if (!waiting || workers_.size() == kMostWorkers) break;
    try {
      start_worker(generation_.load(sync::relaxed) + 1);
    } catch (...) {
      continue;  // no thread to be had: the slow one goes on, until abandoning_end
    }
    generation_.fetch_add(1, sync::release);
    ready_changed_.notify_all();
  }
  return end_threads(done, deadline, most);
}

bool HandlerThread::end_threads(bool done, sync::Deadline deadline, sync::Deadline most) {
  const sync::Deadline soon = sync::Deadline::after(kStuckAfter).earlier(most);
  const sync::Deadline late = deadline.time() > soon.time() ? deadline : soon;
  std::vector<std::unique_ptr<Worker>> workers;  // taken out and put back without host memory
  {
    sync::MutexLock lock(mutex_);
    ending_ = true;  // no worker is started any more
    ready_changed_.notify_all();
    workers.swap(workers_);
  }
  std::list<ExecutorEnds::Destroyer> destroyers = runner_.executors().end();
  const auto leaves = [&](const std::unique_ptr<Worker>& worker) {
    return has_ended(*worker) || (done && !runner_.inside_executor());
  };
  const bool all = finished_.wait_until(
      [&] {
        return std::all_of(workers.begin(), workers.end(), leaves) &&
               std::all_of(destroyers.begin(), destroyers.end(), has_ended<ExecutorEnds::Destroyer>);
      },
      done || !destroyers.empty() ? late : soon);
  std::erase_if(workers, [&](const std::unique_ptr<Worker>& worker) {
    if (!leaves(worker)) return false;
    worker->thread.join();
    return true;
  });
  destroyers.remove_if([](ExecutorEnds::Destroyer& destroyer) {
    if (!has_ended(destroyer)) return false;
    destroyer.thread.join();
    return true;
  });
  if (all) return true;
  runner_.executors().put_back(std::move(destroyers));
  sync::MutexLock lock(mutex_);
  workers_.swap(workers);
  return false;
}

}  // namespace HEDDLE_NS
