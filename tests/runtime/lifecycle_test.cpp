// Shutdown: what it waits for, what it gives up, whom it tells, and what is still safe afterwards.
#include "heddle/runtime/lifecycle.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

using Names = std::vector<std::string>;

// Commands that the device was handed.
std::uint64_t committed(SimCore& sim) {
  std::uint64_t total = 0;
  for (Lane* lane : sim.pool()->existing_lanes()) total += lane->committed().value;
  return total;
}

TEST(Lifecycle, CommitsWhatWasRecordedRunsItsHandlersAndSaysSo) {
  SimCore sim({}, {.auto_run = true});
  Log log;
  sim.on_complete(log.handler("a"));
  const Tensor x = full(sim, {4}, 1.0f);
  Lease lease = sim.lease();
  const Tensor y = full(sim, {4}, 1.0f);
  lease.detach();
  const ShutdownReport report = sim.shutdown();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.completed, 2u);
  EXPECT_EQ(report.abandoned, 0u);
  EXPECT_EQ(report.handlers_run, 1u);
  EXPECT_EQ(report.handlers_pending, 0u);
  EXPECT_EQ(report.leaked_blocks, 2u);
  EXPECT_EQ(report.leaked_bytes, 32u);
  EXPECT_EQ(report.bytes_kept, 0u);
  EXPECT_EQ(log.entries(), Names{"a ok"});
}

TEST(Lifecycle, FromEightThreadsAtOnceThereIsOneReport) {
  for (int round = 0; round < 20; ++round) {
    SimCore sim({}, {.auto_run = true});
    Log log;
    for (int i = 0; i < 5; ++i) sim.on_complete(log.handler("h"));
    const Tensor x = full(sim, {4}, 1.0f);
    std::latch together(8);
    std::vector<ShutdownReport> reports(8);
    std::vector<std::thread> threads;
    for (auto& report : reports) {
      threads.emplace_back([&] {
        together.arrive_and_wait();
        report = sim.shutdown();
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(log.entries().size(), 5u);
    for (const ShutdownReport& report : reports) {
      ASSERT_TRUE(report.complete);
      ASSERT_EQ(report.text(), reports[0].text());
      ASSERT_EQ(report.handlers_run, 5u);
    }
  }
}

TEST(Lifecycle, ThreadsThatRecordGetClosed) {
  SimCore sim({}, {.auto_run = true});
  sync::Atomic<int> closed{0};
  sync::Atomic<std::uint64_t> recorded{0};
  std::latch working(4);
  std::vector<std::thread> workers;
  for (int t = 0; t < 4; ++t) {
    workers.emplace_back([&] {
      full(sim, {4}, 1.0f);
      recorded.fetch_add(1);
      working.count_down();
      try {
        while (true) {
          full(sim, {4}, 1.0f);
          recorded.fetch_add(1);
          sim.synchronize();
        }
      } catch (const Closed& error) {
        EXPECT_TRUE(contains(error.what(), "clos")) << error.what();
        closed.fetch_add(1);
      }
      EXPECT_THROW(sim.on_complete([](const Status&) {}), Closed);
      EXPECT_THROW(sim.lease(), Closed);
    });
  }
  working.wait();
  const ShutdownReport report = sim.shutdown();
  for (auto& worker : workers) worker.join();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(closed.load(), 4);
  EXPECT_EQ(report.completed, recorded.load());
}

// The device stands still: at the deadline everything is given up, and everybody is told.
TEST(Lifecycle, C43_ABusyLaneAtTheDeadlineIsAbandonedAndItsWaiterGetsClosed) {
  SimCore sim;
  Log log;
  std::latch waits(1);
  std::string busy_text;
  std::thread waiter([&] {
    Lease lease = sim.lease();
    const Tensor x = full(sim, {4}, 1.0f);
    lease.on_complete(log.handler("waiting"));
    const Tensor y = full(sim, {4}, 2.0f);
    busy_text = "stream " + std::to_string(lease.id().value) + " by thread " + std::to_string(sync::this_thread_id());
    waits.count_down();
    EXPECT_THROW(lease.synchronize(), Closed);
    EXPECT_THROW(full(sim, {4}, 3.0f), Closed) << "it was inside an operation, and may not go on";
    EXPECT_THROW(lease.on_complete(log.handler("late")), Closed);
    EXPECT_THROW(lease.commit(), Closed);
  });
  waits.wait();
  ASSERT_TRUE(eventually([&] { return sim.pool()->totals().abandoned == 2; }));
  ASSERT_TRUE(eventually([&] { return committed(sim) == 2; }));
  const ShutdownReport report = sim.shutdown(milliseconds(30));
  waiter.join();
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.abandoned, 2u);
  EXPECT_EQ(report.completed, 0u);
  EXPECT_EQ(report.handlers_abandoned, 1u);
  EXPECT_EQ(report.handlers_pending, 0u);
  EXPECT_TRUE(contains(report.busy, busy_text)) << report.busy;
  EXPECT_GT(report.bytes_kept, 0u);
  EXPECT_EQ(log.entries(), Names{"waiting abandoned"});
  EXPECT_EQ(sim.handlers().registered, 1u) << "a refused registration must not be counted";
}

// C46, R01: the device finishes after the runtime gave up. Everything it touches is still there; nobody is told twice.
TEST(Lifecycle, C46_TheDeviceMayFinishAfterTheDeadline) {
  SimCore sim;
  Log log;
  Tensor x = full(sim, {1024}, 1.0f);
  sim.on_complete(log.handler("late"));
  const Event event = sim.record_event();
  EXPECT_FALSE(sim.shutdown(milliseconds(10)).complete);
  x = Tensor();
  EXPECT_EQ(log.entries(), Names{"late abandoned"});
  EXPECT_THROW(event.wait(), Closed);
  sim.run_all();
  EXPECT_TRUE(event.query());
  EXPECT_NO_THROW(event.wait());
  EXPECT_EQ(log.entries(), Names{"late abandoned"});
  EXPECT_EQ(sim.handlers().abandoned, 1u);
}

// C58: the reader's own vector was the target of a copy that the device still has.
TEST(Lifecycle, C58_AReaderThatIsGivenUpLeavesItsMemoryToTheDevice) {
  SimCore sim;
  std::latch waits(1);
  std::thread reader([&] {
    const Tensor x = full(sim, {4096}, 1.0f);
    waits.count_down();
    EXPECT_THROW(x.to_host(), Closed);
    std::vector<std::vector<float>> others(64, std::vector<float>(4096, -1.0f));  // would get that memory
    sim.run_all();
    for (const auto& other : others) EXPECT_EQ(other, std::vector<float>(4096, -1.0f));
  });
  waits.wait();
  ASSERT_TRUE(eventually([&] { return committed(sim) == 2; }));
  EXPECT_FALSE(sim.shutdown(milliseconds(10)).complete);
  reader.join();
}

TEST(Lifecycle, AHandlerThatNeverReturnsHoldsNobodyUp) {
  Log log;
  std::latch never(1);
  sync::Atomic<bool> returned{false};
  {
    SimCore sim;
    std::latch runs(1);
    sim.submit();
    sim.on_complete([&](const Status&) {
      runs.count_down();
      never.wait();
      returned.store(true);
    });
    sim.on_complete(log.handler("complete"));
    sim.run_all();
    runs.wait();
    for (int i = 0; i < 3; ++i) {
      sim.submit();
      sim.on_complete(log.handler("unfinished"));
    }
    Lease other = sim.lease();
    sim.submit();
    other.on_complete(log.handler("other"));
    const sync::TimePoint start = sync::now();
    const ShutdownReport report = sim.shutdown(milliseconds(100));
    EXPECT_LT(sync::now() - start, std::chrono::seconds(15));
    EXPECT_FALSE(report.complete);
    EXPECT_EQ(report.handlers_pending, 1u) << report.text();
    EXPECT_EQ(report.handlers_abandoned, 4u);
    EXPECT_EQ(report.handlers_run, 1u);
    EXPECT_TRUE(contains(report.text(), "1 still pending")) << report.text();
    Names entries = log.entries();
    std::sort(entries.begin(), entries.end());
    EXPECT_EQ(entries, (Names{"complete ok", "other abandoned", "unfinished abandoned", "unfinished abandoned",
                              "unfinished abandoned"}));
    EXPECT_EQ(sim.shutdown().text(), report.text());
  }
  never.count_down();
  EXPECT_TRUE(eventually([&] { return returned.load(); }));
}

TEST(Lifecycle, TwoHandlersThatNeverReturn) {
  std::latch never(1);
  sync::Atomic<int> returned{0};
  Log log;
  {
    SimCore sim;
    for (int i = 0; i < 2; ++i) {
      sim.submit();
      sim.on_complete([&](const Status&) {
        never.wait();
        returned.fetch_add(1);
      });
      sim.on_complete(log.handler("next"));
    }
    const ShutdownReport report = sim.shutdown(milliseconds(20));
    EXPECT_EQ(report.handlers_pending, 2u);
    EXPECT_EQ(report.handlers_abandoned, 2u);
  }
  never.count_down();
  EXPECT_TRUE(eventually([&] { return returned.load() == 2; }));
}

// C45: a thread is in the middle of its first use, outside all locks, while the runtime closes and is done.
TEST(Lifecycle, C45_AStreamThatIsCreatedWhileTheRuntimeClosesIsNotGivenOut) {
  SimCore sim({}, {.auto_run = true});
  std::latch creating(1), closed(1);
  sim.device().on_create_queue([&] {
    creating.count_down();
    closed.wait();
  });
  std::thread first_use([&] {
    EXPECT_THROW(full(sim, {4}, 1.0f), Closed);
    EXPECT_THROW(sim.lease(), Closed);
  });
  creating.wait();
  const ShutdownReport report = sim.shutdown();
  closed.count_down();
  first_use.join();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(sim.pool()->totals().abandoned, 0u) << "recorded after the shutdown was over";
  EXPECT_FALSE(contains(sim.pool()->holders(), "stream 1")) << sim.pool()->holders();
}

TEST(Lifecycle, C15_HandlersMayAllocateAndFreeWhileTheRuntimeDrains) {
  SimCore sim;
  Tensor x = sim.submit();
  sync::Atomic<int> refused{0};
  sim.on_complete([&](const Status& status) {
    EXPECT_EQ(status.kind(), ErrorKind::kAbandoned);
    x = Tensor();
    try {
      full(sim, {4}, 1.0f);
    } catch (const Closed&) {
      refused.fetch_add(1);
    }
    EXPECT_THROW(sim.on_complete([](const Status&) {}), Closed);
    EXPECT_THROW(sim.shutdown(), WouldBlock) << "also while another thread shuts down";
  });
  const ShutdownReport report = sim.shutdown(milliseconds(10));
  EXPECT_EQ(refused.load(), 1);
  EXPECT_EQ(report.handlers_abandoned, 1u);
  EXPECT_EQ(sim.handlers().failed, 0u);
}

TEST(Lifecycle, C50_WhatIsLeftMayGoInAnyOrder) {
  for (int order = 0; order < 2; ++order) {
    Tensor x;
    std::optional<Lease> lease;
    Event event;
    auto sim = std::make_unique<SimCore>();
    lease.emplace(sim->lease());
    x = full(*sim, {4}, 1.0f);
    event = lease->record_event();
    sim->on_complete([keeps = x](const Status&) {});
    EXPECT_TRUE([&] {
      const DeviceRunner runner(sim->device());
      return sim->shutdown().complete;
    }());
    EXPECT_EQ(lease->id(), StreamId{1});
    EXPECT_THROW(lease->commit(), Closed);
    sim.reset();
    if (order == 0) lease.reset();
    EXPECT_TRUE(event.query());
    EXPECT_NO_THROW(event.wait());
    const Tensor other = x;
    EXPECT_THROW(relu(other), Closed);
    x = Tensor();
    if (order == 1) lease.reset();
  }
}

TEST(Lifecycle, AfterDeviceLostEveryThreadGetsItsAnswer) {
  SimCore sim;
  constexpr int kThreads = 8;
  std::latch waiting(kThreads);
  sync::Atomic<int> lost{0};
  sync::Atomic<int> told{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const Tensor x = full(sim, {4}, 1.0f);
      sim.on_complete([&](const Status& status) { told.fetch_add(status.kind() == ErrorKind::kDeviceLost ? 1 : 0); });
      waiting.count_down();
      try {
        x.to_host();
      } catch (const DeviceLost&) {
        lost.fetch_add(1);
      }
      EXPECT_THROW(full(sim, {4}, 1.0f).to_host(), DeviceLost) << "and so does whatever comes later";
    });
  }
  waiting.wait();
  const sync::TimePoint start = sync::now();
  sim.device().lose({ErrorKind::kDeviceLost, "fell off the bus"});
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_LT(sync::now() - start, std::chrono::seconds(1)) << "the promise of the issue";
  EXPECT_EQ(lost.load(), kThreads);
  EXPECT_EQ(told.load(), kThreads);
  EXPECT_TRUE(sim.shutdown().complete) << "a lost device has nothing outstanding";
}

}  // namespace
}  // namespace heddle
