#include "heddle/backends/cpu/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "heddle/backends/cpu/queue.hpp"

namespace HEDDLE_NS::cpu {

Scheduler::Scheduler(unsigned workers) {
  workers_.reserve(workers);
  for (unsigned i = 0; i < workers; ++i) workers_.emplace_back(fmt::format("heddle-cpu-{}", i), [this] { work(); });
}

Scheduler::~Scheduler() {
  {
    sync::MutexLock lock(mutex_);
    HEDDLE_CHECK(ready_.empty(), "the CPU device is destroyed before its queues");
    stopping_ = true;
    changed_.notify_all();
  }
  for (sync::Thread& worker : workers_) worker.join();
}

void Scheduler::add(CpuQueue& queue, bool wake) {
  sync::MutexLock lock(mutex_);
  ready_.push_back(&queue);
  if (!wake || idle_ == 0) return;
  --idle_;  // here, so that two queues wake two workers; a spurious wake-up makes the count too high, which is harmless
  changed_.notify_one();
}

bool Scheduler::remove(const CpuQueue& queue) {
  sync::MutexLock lock(mutex_);
  const auto at = std::find(ready_.begin(), ready_.end(), &queue);
  if (at == ready_.end()) return false;
  ready_.erase(at);
  return true;
}

void Scheduler::work() {
  sync::MutexLock lock(mutex_);
  for (;;) {
    while (ready_.empty() && !stopping_) {
      ++idle_;
      changed_.wait(mutex_);
    }
    if (ready_.empty()) return;
    CpuQueue& queue = *ready_.front();
    ready_.pop_front();
    lock.unlock();
    queue.work();
    lock.lock();
  }
}

}  // namespace HEDDLE_NS::cpu
