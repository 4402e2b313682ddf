// The process ends while completion handlers run, wait in an executor, or never return.
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>

#include "heddle/device/device.hpp"
#include "heddle/tensor/core.hpp"
#include "process/scenario.hpp"

namespace heddle::test {
namespace {

// The bound on process exit: kExitDrain twice (the drain, then parking), plus slack for a loaded machine.
constexpr std::chrono::seconds kMostAtExit{6};
Clock::time_point exit_began;

void check_exit_time() {
  expect(Clock::now() - exit_began < kMostAtExit, "the end of the process took longer than its bound");
}

Runtime* parked = nullptr;

// Static destructors of the program and of kernel libraries follow: no kernel may run during them.
void check_parked() {
  const KernelCounts before = parked->core().device().executed();
  std::this_thread::sleep_for(milliseconds(20));
  expect(parked->core().device().executed() == before, "a kernel ran on after the library's part of the exit");
}

// A few threads that run tasks. The destructor drops queued tasks.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~ThreadExecutor() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  void execute(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
};

// Keeps every task and runs none.
class IdleExecutor final : public Executor {
 public:
  void execute(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
};

int exit_in_handler(Random& random) {
  after_the_library(check_exit_time);
  after_the_library(check_parked);
  Runtime& runtime = open_for_ever_undrained();
  parked = &runtime;
  start_detached(runtime, random.between(0, 7), random);
  std::thread([&runtime] {
    try {
      const Tensor x = full(runtime, {256, 256}, 1.0f);  // almost always inside a kernel when the process exits
      while (true) expect(sum(matmul(x, x)).item() == 16777216.0f, "a result is wrong");
    } catch (const Closed&) {
    }
  }).detach();
  product(runtime, 1);
  const int delay_us = random.between(0, 5'000);
  runtime.on_complete([delay_us](const Status& status) {
    expect(status.ok(), "the handler that exits received " + std::string(status.text()));
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    exit_began = Clock::now();
    std::exit(3);
  });
  if (random.chance()) record_until_closed(runtime, 1);
  sleep_for_ever();
}

int exit_in_executor(Random& random) {
  after_the_library(check_exit_time);
  Runtime& runtime = open_for_ever_undrained();
  const auto executor = std::make_shared<ThreadExecutor>(random.between(1, 3));
  start_detached(runtime, random.between(0, 4), random);
  product(runtime, 1);
  runtime.on_complete(
      [](const Status&) {
        exit_began = Clock::now();
        std::exit(3);
      },
      {"exits", executor});
  // The exiting handler is one of this runtime: neither may wait for the other beyond the bound.
  if (random.chance()) runtime.shutdown(std::chrono::seconds(60));
  sleep_for_ever();
}

// Another thread shuts down with a long deadline, which it will use up.
int exit_during_shutdown(Random& random) {
  after_the_library(check_exit_time);
  Runtime& runtime = open_for_ever_undrained();
  product(runtime, 1);
  const auto executor = std::make_shared<IdleExecutor>();
  runtime.on_complete(counting_handler(), {"never run", executor});
  std::thread([&runtime] { runtime.shutdown(std::chrono::seconds(60)); }).detach();
  random.pause(20'000);
  exit_began = Clock::now();
  std::exit(3);
}

int executor_at_exit(Random& random) {
  // Destroyed after the library's part of the exit, when all tasks that it got have run.
  static std::shared_ptr<ThreadExecutor> executor;
  executor = std::make_shared<ThreadExecutor>(random.between(1, 4));
  Runtime& runtime = open_for_ever();
  const int threads = random.between(1, 4);
  for (int i = 0; i < threads; ++i) {
    std::thread([&runtime, mine = executor] {
      try {
        while (true) {
          product(runtime, 1);
          runtime.on_complete(counting_handler(), {"in the executor", mine});
        }
      } catch (const Closed&) {
      }
    }).detach();
  }
  random.pause(20'000);
  return 3;
}

int executor_that_never_runs(Random& random) {
  after_the_library(check_exit_time);
  Runtime& runtime = open_for_ever_undrained();
  const auto executor = std::make_shared<IdleExecutor>();
  product(runtime, 1);
  runtime.on_complete(counting_handler(), {"never run", executor});
  const ShutdownReport report = runtime.shutdown(milliseconds(random.between(1, 50)));
  expect(!report.complete && report.handlers_pending == 1,
         "the shutdown reports the pending handler: " + report.text());
  exit_began = Clock::now();
  return 3;
}

int handler_never_returns(Random& random) {
  after_the_library(check_exit_time);
  static std::atomic<int> told_others{0};
  {
    Runtime runtime;
    product(runtime, 1);
    runtime.on_complete([](const Status&) { sleep_for_ever(); });
    const int others = random.between(1, 4);
    std::vector<std::thread> threads;
    for (int i = 0; i < others; ++i) {
      threads.emplace_back([&runtime] {
        product(runtime, 1);
        runtime.on_complete([](const Status&) { told_others.fetch_add(1); });
      });
    }
    for (std::thread& thread : threads) thread.join();
    const Clock::time_point start = Clock::now();
    const ShutdownReport report = runtime.shutdown(milliseconds(300));
    expect(Clock::now() - start < std::chrono::seconds(3), "the shutdown took far longer than its deadline");
    expect(!report.complete, "the shutdown reports that a handler has not returned");
    expect(report.handlers_pending == 1, "one handler is pending: " + report.text());
    expect(told_others.load() == others, "the handlers after the hanging one received a status");
  }
  exit_began = Clock::now();
  return 3;
}

constexpr Scenario kScenarios[] = {
    {"exit_in_handler", 3, exit_in_handler},
    {"exit_in_executor", 3, exit_in_executor},
    {"exit_during_shutdown", 3, exit_during_shutdown},
    {"executor_at_exit", 3, executor_at_exit},
    {"executor_that_never_runs", 3, executor_that_never_runs},
    {"handler_never_returns", 3, handler_never_returns},
};

}  // namespace

std::span<const Scenario> handler_scenarios() { return kScenarios; }

}  // namespace heddle::test
