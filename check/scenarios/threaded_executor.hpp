// An executor whose tasks run on one of the scenario's threads.
#pragma once

#include <functional>
#include <utility>

#include "heddle/completion.hpp"
#include "heddle/sync/mutex.hpp"

namespace heddle::check {

// Runs one task, on the thread that calls work().
class ThreadedExecutor final : public Executor {
 public:
  void execute(std::function<void()> task) override {
    sync::MutexLock lock(mutex_);
    task_ = std::move(task);
    changed_.notify_all();
  }
  void work() {
    std::function<void()> task;
    {
      sync::MutexLock lock(mutex_);
      while (!task_) changed_.wait(mutex_);
      task = std::move(task_);
    }
    task();
  }

 private:
  sync::Mutex mutex_{Rank::kLeaf};
  sync::ConditionVariable changed_;
  std::function<void()> task_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace heddle::check
