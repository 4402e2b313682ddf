#include "heddle/backends/cpu/scheduler.hpp"

#include <fmt/format.h>

#include <utility>

#include "heddle/backends/cpu/queue.hpp"

namespace HEDDLE_NS::cpu {

Scheduler::Scheduler(unsigned workers) {
  workers_.reserve(workers);
  try {
    for (unsigned i = 0; i < workers; ++i) workers_.emplace_back(fmt::format("heddle-cpu-{}", i), [this] { work(); });
  } catch (...) {
    stop();
    throw;
  }
}

Scheduler::~Scheduler() {
  {
    sync::MutexLock lock(mutex_);
    HEDDLE_CHECK(first_ == nullptr, "the CPU device is destroyed before its queues");
  }
  stop();
}

void Scheduler::stop() noexcept {
  {
    sync::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (sync::Thread& worker : workers_) worker.join();
}

void Scheduler::add(CpuQueue& queue, bool wake) noexcept {
  sync::MutexLock lock(mutex_);
  queue.next_ready_ = nullptr;
  (first_ == nullptr ? first_ : last_->next_ready_) = &queue;
  last_ = &queue;
  if (!wake || idle_ == 0) return;
  // here, so that two queues wake two workers; a spurious wake-up only makes the count too high, which is harmless
  --idle_;
  changed_.notify_one();
}

bool Scheduler::remove(const CpuQueue& queue) {
  sync::MutexLock lock(mutex_);
  CpuQueue* before = nullptr;
  for (CpuQueue* at = first_; at != nullptr; before = std::exchange(at, at->next_ready_)) {
    if (at != &queue) continue;
    (before == nullptr ? first_ : before->next_ready_) = at->next_ready_;
    if (last_ == at) last_ = before;
    return true;
  }
  return false;
}

void Scheduler::work() {
  sync::MutexLock lock(mutex_);
  for (;;) {
    while (first_ == nullptr && !stopping_) {
      ++idle_;
      changed_.wait(mutex_);
    }
    if (first_ == nullptr) return;
    CpuQueue& queue = *std::exchange(first_, first_->next_ready_);
    lock.unlock();
    queue.work();
    lock.lock();
  }
}

}  // namespace HEDDLE_NS::cpu
