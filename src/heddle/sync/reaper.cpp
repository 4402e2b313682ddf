#include "heddle/sync/reaper.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "heddle/sync/mutex.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS::sync {

struct Reaper::Worker {
  enum class State : unsigned char { kFree, kRunning, kEnded };
  State state = State::kFree;
  std::uint64_t forks = 0;  // at its start: a worker from a parent process can be neither joined nor reused
  Thread thread;
};

struct Reaper::Shared {
  Mutex mutex{Rank::kReaper};
  ConditionVariable one_ended;
  Reapable* first HEDDLE_GUARDED_BY(mutex) = nullptr;
  Reapable* last HEDDLE_GUARDED_BY(mutex) = nullptr;
  std::array<Worker, 8> workers HEDDLE_GUARDED_BY(mutex);

  Worker* find(Worker::State state) HEDDLE_REQUIRES(mutex) {
    const auto found = std::find_if(workers.begin(), workers.end(), [state](const Worker& worker) {
      return worker.state == state && (state == Worker::State::kFree || worker.forks == forks());
    });
    return found == workers.end() ? nullptr : &*found;
  }
};

// Never destroyed: static destructors in any order may still need it.
Reaper::Shared& Reaper::shared() noexcept {
  alignas(Shared) static unsigned char place[sizeof(Shared)];
  static auto* const the_shared = new (place) Shared;
  return *the_shared;
}

#if HEDDLE_CHECKED
void Reaper::forget() noexcept { new (&shared()) Shared; }
#endif

void Reaper::hand_over(Reapable& object, std::shared_ptr<void> keep) noexcept {
  Shared& all = shared();
  {
    MutexLock lock(all.mutex);
    if (object.queued_) return;
    object.queued_ = true;
    object.keep_ = std::move(keep);
    object.next_ = nullptr;
    (all.first == nullptr ? all.first : all.last->next_) = &object;
    all.last = &object;
  }
  attend();
}

void Reaper::attend() noexcept {
  Shared& all = shared();
  join_ended(all);
  start(all);
}

void Reaper::join_ended(Shared& all) noexcept {
  while (true) {
    Thread ended;
    {
      MutexLock lock(all.mutex);
      Worker* const worker = all.find(Worker::State::kEnded);
      if (worker == nullptr) return;
      ended = std::move(worker->thread);
      worker->state = Worker::State::kFree;
    }
    ended.join();  // it is executing its last instructions
  }
}

void Reaper::start(Shared& all) noexcept {
  MutexLock lock(all.mutex);
  if (all.first == nullptr) return;
  Worker* const worker = all.find(Worker::State::kFree);
  if (worker == nullptr) return;  // the running threads take the object
  try {
    worker->thread = Thread("heddle-reaper", [&all, worker] { work(all, *worker); });
    worker->state = Worker::State::kRunning;
    worker->forks = forks();
  } catch (...) {  // NOLINT(bugprone-empty-catch): the object waits, and is counted as ending
    // No thread could be started, or there was no memory for one.
  }
}

void Reaper::work(Shared& all, Worker& worker) noexcept {
  const ForkGuarded fork_guarded;  // until the mutex is free: a child that needs it must not find it locked
  MutexLock lock(all.mutex);
  while (all.first != nullptr) {
    Reapable& object = *std::exchange(all.first, all.first->next_);
    std::shared_ptr<void> keep = std::move(object.keep_);
    // Reset now, so that a second hand-over while this one is being reaped counts.
    object.queued_ = HEDDLE_PLANT(reaper_takes_once);
    lock.unlock();
    object.reap();
    keep.reset();
    lock.lock();
  }
  worker.state = Worker::State::kEnded;
  all.one_ended.notify_all();
}

bool Reaper::finish(Deadline deadline) noexcept {
  Shared& all = shared();
  attend();
  bool done = false;
  {
    MutexLock lock(all.mutex);
    const auto runs = [&all]() HEDDLE_REQUIRES(all.mutex) { return all.find(Worker::State::kRunning) != nullptr; };
    while (runs() && all.one_ended.wait_until(all.mutex, deadline)) {
    }
    done = all.first == nullptr && !runs();
  }
  join_ended(all);
  return done;
}

}  // namespace HEDDLE_NS::sync
