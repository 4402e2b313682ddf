// Executors of random programs: they run completion handlers that name one.
//
// Thread safety: all members.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace heddle::programs {

enum class Delivery : unsigned char {
  kHandlerThread,  // no executor
  kInline,         // on the handler thread, inside execute()
  kThreads,        // on threads of the program
  kLoop,           // on the thread that registered it, between its steps
  kShelf,          // after the runtime has ended
  kDropped,        // the task is destroyed
  kThrown,         // execute() throws
};

// An event loop: tasks that wait until a thread runs them.
class TaskLoop {
 public:
  void add(std::function<void()>&& task) {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  // False: there was no task.
  bool run_one() {
    std::function<void()> task;
    {
      std::lock_guard lock(mutex_);
      if (tasks_.empty()) return false;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
};

// Two threads, started at the first task.
class TaskThreads {
 public:
  ~TaskThreads() { stop(); }
  void add(std::function<void()>&& task) {
    std::lock_guard lock(mutex_);
    if (stopped_) return loop_.add(std::move(task));  // for the thread that runs the remaining tasks
    while (threads_.size() < 2) threads_.emplace_back([this] { work(); });
    loop_.add(std::move(task));
    ++waiting_;
    added_.notify_one();
  }
  // Runs the present tasks, then ends the threads.
  void stop() {
    std::vector<std::thread> threads;
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      threads.swap(threads_);
      added_.notify_all();
    }
    for (std::thread& thread : threads) thread.join();
    while (loop_.run_one()) {
    }
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (waiting_ == 0) {
        if (stopped_) return;
        added_.wait(lock);
        continue;
      }
      --waiting_;
      lock.unlock();
      loop_.run_one();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable added_;
  TaskLoop loop_;
  int waiting_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace heddle::programs
