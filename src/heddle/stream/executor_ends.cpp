#include "heddle/stream/executor_ends.hpp"

#include <iterator>
#include <utility>

#include "heddle/stream/inside_handler.hpp"
#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS {

void ExecutorEnds::let_go(std::shared_ptr<Executor> executor) noexcept {
  if (executor == nullptr || executor.use_count() != 1) return;
  std::list<Destroyer> ended;
  try {
    std::list<Destroyer> fresh(1);
    std::list<std::shared_ptr<Executor>> place(1);
    Destroyer& destroyer = fresh.front();
    sync::MutexLock lock(mutex_);
    for (auto at = destroyers_.begin(); at != destroyers_.end();) {
      const auto next = std::next(at);
      if (at->ended.load(sync::acquire)) ended.splice(ended.end(), destroyers_, at);
      at = next;
    }
    if (destroyers_.size() == kMostThreads) {  // one of them takes it: none of these has ended
      place.front() = std::move(executor);
      waiting_.splice(waiting_.end(), place);
    } else if (!ending_) {
      destroyer.thread = sync::Thread("heddle-executor", [this, &destroyer] { destroy(destroyer); });
      destroyer.executor = std::move(executor);
      destroyers_.splice(destroyers_.end(), fresh);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): it is destroyed here then
  }
  for (Destroyer& destroyer : ended) destroyer.thread.join();
  if (executor == nullptr) return;
  const sync::NoWaiting no_waiting("an executor destroyed by the handler thread");
  sync::assert_no_locks_held("an executor's destructor");
  executor.reset();
}

void ExecutorEnds::destroy(Destroyer& destroyer) noexcept {
  {
    sync::MutexLock lock(mutex_);  // by then it has its executor
    while (true) {
      std::shared_ptr<Executor> executor = std::move(destroyer.executor);
      lock.unlock();
      {
        const InsideHandler inside(owner_);  // a shutdown waits for this thread, too
        executor.reset();
      }
      lock.lock();
      if (waiting_.empty()) break;
      destroyer.executor = std::move(waiting_.front());
      waiting_.pop_front();
    }
    destroyer.ended.store(true, sync::release);
  }
  finished_.announce_thread();
}

std::list<ExecutorEnds::Destroyer> ExecutorEnds::end() noexcept {
  std::list<Destroyer> destroyers;
  sync::MutexLock lock(mutex_);
  ending_ = true;
  destroyers.swap(destroyers_);
  return destroyers;
}

void ExecutorEnds::put_back(std::list<Destroyer>&& destroyers) noexcept {
  sync::MutexLock lock(mutex_);
  destroyers_.splice(destroyers_.end(), destroyers);
}

bool ExecutorEnds::empty() const noexcept {
  sync::MutexLock lock(mutex_);
  return destroyers_.empty();
}

}  // namespace HEDDLE_NS
