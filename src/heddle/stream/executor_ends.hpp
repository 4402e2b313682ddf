// ExecutorEnds: destroys the executors that only the library still owns.
//
// An executor's destructor may wait for handlers that the handler thread has yet to run, so it runs on a thread of its
// own. On the calling thread only where no thread can be started, another owner let go at the same moment, or the
// runtime ends.
//
// Thread safety: all members. Locks: mutex_ (kHandlers), never held with another of that rank, nor while an executor is
// destroyed.
#pragma once

#include <list>
#include <memory>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/stream/finish_count.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

class HandlerThread;

class ExecutorEnds {
 public:
  // A thread that destroys executors.
  struct Destroyer {
    sync::Thread thread{};
    sync::Atomic<bool> ended{false};
    std::shared_ptr<Executor> executor{};  // its next
  };

  // `finished` hears of every thread that ends. Both outlive it, and the threads.
  ExecutorEnds(const HandlerThread& owner, FinishCount& finished) noexcept : owner_(owner), finished_(finished) {}

  // Drops the library's reference.
  void let_go(std::shared_ptr<Executor> executor) noexcept;
  // Starts no thread from now on; hands out those that have not been joined.
  std::list<Destroyer> end() noexcept;
  // Takes back those that have not ended: they still run.
  void put_back(std::list<Destroyer>&& destroyers) noexcept;
  bool empty() const noexcept;

 private:
  static constexpr std::size_t kMostThreads = 8;
  void destroy(Destroyer& destroyer) noexcept;

  const HandlerThread& owner_;
  FinishCount& finished_;
  mutable sync::Mutex mutex_{Rank::kHandlers};
  bool ending_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::list<Destroyer> destroyers_ HEDDLE_GUARDED_BY(mutex_);
  std::list<std::shared_ptr<Executor>> waiting_ HEDDLE_GUARDED_BY(mutex_);  // for whichever of those is first
};

}  // namespace HEDDLE_NS
