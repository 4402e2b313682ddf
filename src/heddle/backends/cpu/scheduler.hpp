// Scheduler: the worker threads of the CPU backend and the queues that are ready for them.
//
// A worker takes the queue at the front, runs one of its lists, and puts it at the back if more can run. Work that a
// waiting thread runs itself (Device::help) never comes here. Thread safety: all members, from any thread. Locks:
// mutex_ (kDeviceScheduler); a queue's mutex is taken without it. Invariants: 1. A queue is ready at most once; its
// `scheduled` flag ensures that. 2. A queue whose flag is set is not destroyed, so a worker may use the pointer it took
// until it clears the flag.
#pragma once

#include <cstddef>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS::cpu {

class CpuQueue;

class Scheduler {
 public:
  // Throws the error from starting a thread; no thread is left then.
  explicit Scheduler(unsigned workers);
  ~Scheduler();  // joins the workers; REQUIRES: no queue is ready
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // REQUIRES: the caller has set the queue's `scheduled` flag, and holds no queue's mutex. `wake` is false if the
  // caller is a worker, which looks at the ready queues next anyway.
  void add(CpuQueue& queue, bool wake) noexcept;
  // Takes a queue back; false if it is not here (a worker has it, or it is about to be added).
  bool remove(const CpuQueue& queue);

 private:
  void work();
  void stop() noexcept;

  sync::Mutex mutex_{Rank::kDeviceScheduler};
  sync::ConditionVariable changed_;
  CpuQueue* first_ HEDDLE_GUARDED_BY(mutex_) = nullptr;  // the ready queues, linked, so that add() cannot fail
  CpuQueue* last_ HEDDLE_GUARDED_BY(mutex_) = nullptr;
  std::size_t idle_ HEDDLE_GUARDED_BY(mutex_) = 0;  // workers asleep and not yet woken
  bool stopping_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::vector<sync::Thread> workers_;
};

}  // namespace HEDDLE_NS::cpu
