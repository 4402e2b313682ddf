// Runtimes that are ended from inside; what is left of them.
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "heddle/heddle.hpp"
#include "heddle/stream/recording.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

Options on_cpu() {
  Options options;
  options.device = "cpu";
  return options;
}

bool nothing_is_left() {
  return eventually([] { return runtimes_left().ending == 0; });
}

TEST(Ending, C19_ARequestBeginsTheShutdownAndReturns) {
  Runtime runtime(on_cpu());
  const Tensor x = full(runtime, {4}, 1.0f);  // not committed
  sync::Atomic<int> told{0};
  std::thread other([&] { full(runtime, {4}, 2.0f); });
  other.join();
  runtime.request_shutdown();
  EXPECT_THROW(full(runtime, {4}, 1.0f), Closed);
  EXPECT_THROW(runtime.lease(), Closed);
  EXPECT_THROW(runtime.on_complete([&](const Status&) { told.store(1); }), Closed);
  runtime.request_shutdown();
  const ShutdownReport report = runtime.shutdown();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.completed, 2u);
  EXPECT_EQ(told.load(), 0);
  runtime.request_shutdown();
  EXPECT_EQ(runtime.shutdown().text(), report.text());
}

TEST(Ending, C19_AHandlerOfAnotherRuntimeMayShutDownInAnExecutor) {
  struct Threads final : Executor {
    void execute(std::function<void()> task) override {
      std::lock_guard lock(mutex);
      all.emplace_back(std::move(task));
    }
    // A task may end before execute() has returned on the handler thread.
    void join() {
      std::lock_guard lock(mutex);
      for (std::thread& thread : all) thread.join();
    }
    std::mutex mutex;
    std::vector<std::thread> all;
  };
  const auto threads = std::make_shared<Threads>();
  Runtime one(on_cpu()), other(on_cpu());
  ShutdownReport report;
  bool refused = false;
  full(one, {4}, 1.0f);
  one.on_complete(
      [&](const Status&) {
        report = other.shutdown();
        try {
          one.shutdown();
        } catch (const WouldBlock& error) {
          refused = contains(error.what(), "request_shutdown()");
        }
        full(one, {4}, 1.0f);
        one.synchronize();  // waiting for the device is allowed
        one.request_shutdown();
      },
      {"ends both", threads});
  EXPECT_TRUE(eventually([&] { return one.handler_statistics().run == 1; }));
  threads->join();
  EXPECT_TRUE(refused);
  EXPECT_TRUE(report.complete) << report.text();
  EXPECT_TRUE(one.shutdown().complete);
}

// What the user's code is called with inside a call: there, too, the end would wait for the calling thread.
TEST(Ending, C19_ADestructorInsideACallOnTheRuntimeIsRefusedTheShutdown) {
  Runtime runtime(on_cpu());
  Recording recording(runtime.core().pool());
  EXPECT_THROW(runtime.shutdown(), WouldBlock);
}

TEST(Ending, C47_TheLastOwnerGoesInsideACallOnTheRuntime) {
  const RuntimesLeft before = runtimes_left();
  auto runtime = std::make_unique<Runtime>(on_cpu());
  const std::shared_ptr<LanePool> pool = runtime->core().pool();
  {
    const Recording recording(pool);
    runtime.reset();
    EXPECT_EQ(runtimes_left().ending, 1u);
  }
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(runtimes_left().kept, before.kept);
}

TEST(Ending, C49_WhatDoesNotEndIsKeptAndCounted) {
  const RuntimesLeft before = runtimes_left();
  std::latch never(1);
  {
    SimCore sim;
    sim.submit();
    sim.on_complete([&](const Status&) { never.wait(); });
    sim.run_all();
    EXPECT_FALSE(sim.shutdown(milliseconds(10)).complete);
  }
  const RuntimesLeft after = runtimes_left();
  EXPECT_EQ(after.kept, before.kept + 1);
  EXPECT_GT(after.bytes_kept, before.bytes_kept);
  never.count_down();
}

}  // namespace
}  // namespace heddle
