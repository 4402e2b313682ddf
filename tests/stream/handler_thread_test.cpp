// Completion handlers: how often, in which order, with which status, and what becomes of those that misbehave.
#include "heddle/stream/handler_thread.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

using Names = std::vector<std::string>;
const Status kBoom(ErrorKind::kDeviceError, "boom");

TEST(Handlers, RunOnceTheirTicketIsCompleteAndNotBefore) {
  SimCore sim;
  Log log;
  sim.submit();
  sim.on_complete(log.handler("first"));
  sim.submit();
  sim.on_complete(log.handler("second"));
  EXPECT_EQ(sim.handlers().pending, 2u);
  ASSERT_TRUE(sim.device().step());
  EXPECT_EQ(log.wait_for(1), Names{"first ok"});
  EXPECT_EQ(sim.handlers().registered, 2u);
  ASSERT_TRUE(sim.device().step());
  EXPECT_EQ(log.wait_for(2), (Names{"first ok", "second ok"}));
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_EQ(sim.handlers().run, 2u);
}

TEST(Handlers, C27_RegisteredAfterCommitRunsToo) {
  SimCore sim;
  Log log;
  const Tensor x = sim.submit();
  sim.on_complete(log.handler("committed"));
  sim.run_all();
  EXPECT_EQ(log.wait_for(1), Names{"committed ok"});
  sim.on_complete(log.handler("complete"));  // nothing is outstanding: it runs at once
  EXPECT_EQ(log.wait_for(2), (Names{"committed ok", "complete ok"}));
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_EQ(sim.handlers().run, 2u);
}

TEST(Handlers, C27_OnAStreamThatNeverRecordedAnything) {
  SimCore sim;
  Log log;
  sim.on_complete(log.handler("empty"));
  EXPECT_EQ(log.wait_for(1), Names{"empty ok"});
}

TEST(Handlers, RunInTheOrderOfTheirRegistrationOnEachStream) {
  SimCore sim;
  Log log;
  Lease a = sim.lease();
  Lease b = sim.lease();  // the newer one: what is recorded goes here
  for (int i = 0; i < 60; ++i) {
    const Tensor x = full(sim, {4}, 1.0f);
    b.on_complete(log.handler(std::to_string(i)));
  }
  sim.device().set_delay(b.id(), 10);
  sim.run_all();
  Names expected;
  for (int i = 0; i < 60; ++i) expected.push_back(std::to_string(i) + " ok");
  EXPECT_EQ(log.wait_for(60), expected);
}

TEST(Handlers, ALongLineLetsTheOthersHaveTheirTurn) {
  SimCore sim;
  Log log;
  Lease a = sim.lease();
  std::latch first_runs(1);
  std::latch go(1);
  a.on_complete([&](const Status&) {
    first_runs.count_down();
    go.wait();
  });
  first_runs.wait();
  for (int i = 0; i < 200; ++i) a.on_complete(log.handler("a"));
  Lease b = sim.lease();
  b.on_complete(log.handler("b"));
  go.count_down();
  const Names all = log.wait_for(201);
  const auto at = std::find(all.begin(), all.end(), "b ok");
  ASSERT_NE(at, all.end());
  EXPECT_LE(at - all.begin(), 128) << "more than the turn under way and the next one";
}

TEST(Handlers, AreToldTheErrorOfTheirTicketAndOnlyOfTheirs) {
  SimCore sim;
  Log log;
  sim.submit();
  sim.on_complete(log.handler("before"));
  sim.device().fail_execution(sim.stream(), Ticket{2}, kBoom);
  sim.submit();
  sim.on_complete(log.handler("failing"));
  sim.submit();
  sim.on_complete(log.handler("skipped"));
  sim.run_all();
  EXPECT_EQ(log.wait_for(3), (Names{"before ok", "failing device error", "skipped device error"}));
  EXPECT_THROW(sim.synchronize(), DeviceError);
  sim.submit();
  sim.on_complete(log.handler("after"));
  sim.run_all();
  EXPECT_EQ(log.wait_for(4).back(), "after ok");
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_EQ(sim.handlers().run, 4u) << "an error is an answer, not an abandonment";
}

TEST(Handlers, AreToldThatTheDeviceIsLost) {
  SimCore sim;
  Log log;
  sim.submit();
  sim.on_complete(log.handler("outstanding"));
  sim.device().lose({ErrorKind::kDeviceLost, "gone"});
  EXPECT_EQ(log.wait_for(1), Names{"outstanding device lost"});
  const Tensor x = full(sim, {4}, 1.0f);
  sim.on_complete(log.handler("later"));  // completes inside the submit, on this thread (C18)
  EXPECT_EQ(log.wait_for(2).back(), "later device lost");
}

TEST(Handlers, C30_AnEmptyHandlerIsRefusedAndLeavesNoCount) {
  SimCore sim;
  EXPECT_TRUE(contains(text_of<InvalidArgument>([&] { sim.on_complete(nullptr); }), "empty"));
  EXPECT_EQ(sim.handlers().registered, 0u);
  EXPECT_EQ(sim.handlers().pending, 0u);
}

TEST(Handlers, C30_AnExceptionIsCountedGivenToTheHookAndStopsNobody) {
  Log log;
  CoreOptions options;
  options.on_handler_failure = [&](const HandlerFailure& failure) {
    try {
      std::rethrow_exception(failure.error);
    } catch (const std::exception& error) {
      log.add("hook " + failure.name + " " + std::to_string(failure.stream.value) + " " + error.what());
    }
    throw std::runtime_error("from the hook");  // goes nowhere
  };
  SimCore sim(options);
  sim.on_complete([](const Status&) { throw std::runtime_error("oops"); }, {"thrower", nullptr});
  sim.on_complete([](const Status&) { throw 7; }, {"", nullptr});  // NOLINT: not even an exception class
  sim.on_complete(log.handler("next"));
  EXPECT_TRUE(sim.handlers_settle());
  const HandlerStatistics now = sim.handlers();
  EXPECT_EQ(now.registered, 3u);
  EXPECT_EQ(now.run, 3u);
  EXPECT_EQ(now.failed, 2u);
  ASSERT_FALSE(log.entries().empty());
  EXPECT_EQ(log.entries().front(), "hook thrower 0 oops");
  EXPECT_EQ(log.entries().back(), "next ok");
}

TEST(Handlers, SlowOnesAreCountedAndNamed) {
  CoreOptions options;
  options.limits.slow_handler = milliseconds(1);
  SimCore sim(options);
  for (int i = 1; i <= 20; ++i) {
    sim.on_complete([](const Status&) { std::this_thread::sleep_for(milliseconds(2)); },
                    {"slow " + std::to_string(i), nullptr});
  }
  EXPECT_TRUE(sim.handlers_settle());
  const HandlerStatistics now = sim.handlers();
  EXPECT_EQ(now.slow, 20u);
  ASSERT_EQ(now.slowest.size(), 16u) << "bounded";
  for (std::size_t i = 0; i < now.slowest.size(); ++i) {
    EXPECT_TRUE(now.slowest[i].name.starts_with("slow ")) << now.slowest[i].name;
    EXPECT_EQ(now.slowest[i].stream.value, 0u);
    EXPECT_GE(now.slowest[i].took, milliseconds(1));
    EXPECT_LE(now.slowest[i].took, now.slowest[i == 0 ? 0 : i - 1].took);
  }
}

TEST(Handlers, C31_WhatAHandlerHoldsIsLetGoOnceItHasRun) {
  SimCore sim;
  const auto held = std::make_shared<int>(1);
  for (int i = 0; i < 10; ++i) sim.on_complete([held](const Status&) {});
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_EQ(held.use_count(), 1) << "pending reached 0 before the last handler was destroyed";
}

// Counts are taken from other threads while handlers come and go.
TEST(Handlers, C57_CountsAreInBalanceAtEveryMoment) {
  SimCore sim;
  const DeviceRunner runner(sim.device());
  constexpr int kThreads = 4;
  constexpr int kEach = 300;
  sync::Atomic<int> told{0};
  sync::Atomic<bool> done{false};
  std::thread reader([&] {
    while (!done.load()) ASSERT_TRUE(balanced(sim.handlers()));
  });
  std::vector<std::thread> workers;
  for (int t = 0; t < kThreads; ++t) {
    workers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        const Tensor x = full(sim, {4}, 1.0f);
        sim.on_complete([&](const Status&) { told.fetch_add(1); });
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_TRUE(sim.handlers_settle());
  done.store(true);
  reader.join();
  EXPECT_EQ(told.load(), kThreads * kEach);
  EXPECT_EQ(sim.handlers().run, static_cast<std::uint64_t>(kThreads) * kEach);
}

TEST(Handlers, C36_EightThreadsStartTheHandlerThreadAtOnce) {
  for (int round = 0; round < 20; ++round) {
    SimCore sim;
    std::barrier together(8);
    sync::Atomic<int> told{0};
    std::vector<std::thread> workers;
    for (int t = 0; t < 8; ++t) {
      workers.emplace_back([&] {
        together.arrive_and_wait();
        sim.on_complete([&](const Status&) { told.fetch_add(1); });
      });
    }
    for (auto& worker : workers) worker.join();
    ASSERT_TRUE(sim.handlers_settle());
    ASSERT_EQ(told.load(), 8);
  }
}

TEST(Handlers, C42_AnEarlierHoldersHandlersKeepTheirOwnStatus) {
  SimCore sim(exactly(1));
  Log log;
  std::thread first([&] {
    sim.device().fail_execution(StreamId{1}, Ticket{1}, kBoom);
    sim.submit();
    sim.on_complete(log.handler("first"));
  });
  first.join();  // its stream goes back while its list has not run
  std::latch go(1);
  std::thread second([&] {
    sim.submit();  // waits until the stream is idle, then has it
    sim.on_complete(log.handler("second"));
    go.count_down();
  });
  const DeviceRunner runner(sim.device());
  second.join();
  EXPECT_EQ(log.wait_for(2), (Names{"first device error", "second ok"}));
}

TEST(Handlers, R07_TakingEventsInHandlersDropsNoSignal) {
  SimCore sim;
  sync::Mutex mutex(Rank::kLeaf);
  std::vector<Event> events;
  for (int i = 0; i < 5; ++i) {
    sim.on_complete([&](const Status&) {
      const Tensor x = full(sim, {4}, 1.0f);
      Event outer = sim.record_event();
      Event again = sim.record_event();  // the same point
      sync::MutexLock lock(mutex);
      events.push_back(outer);
      events.push_back(again);
    });
  }
  EXPECT_TRUE(sim.handlers_settle());
  ASSERT_EQ(events.size(), 10u);
  for (const Event& event : events) EXPECT_FALSE(event.query());
  sim.run_all();
  for (const Event& event : events) EXPECT_TRUE(event.query());
}

}  // namespace
}  // namespace heddle
