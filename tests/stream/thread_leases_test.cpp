// The leases of a thread: who takes what first, what its end gives back, and threads that end while others close.
#include "heddle/stream/thread_leases.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <latch>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

TEST(ThreadLeases, OneSlotForAllCallsOfAThread) {
  SimCore sim;
  SimCore other;
  LeaseSlot& slot = thread_leases().current(sim.pool());
  EXPECT_EQ(&thread_leases().current(sim.pool()), &slot);
  EXPECT_NE(&thread_leases().current(other.pool()), &slot);
  EXPECT_EQ(&thread_leases().current(sim.pool()), &slot) << "the cache follows the pool";
  EXPECT_TRUE(slot.is_implicit);
  EXPECT_NE(thread_leases_if_any(), nullptr);
}

TEST(ThreadLeases, C23_ThirtyTwoFirstUsesAtOnceMakeThirtyTwoStreams) {
  SimCore sim;
  const DeviceRunner runner(sim.device());
  constexpr std::size_t kThreads = 32;
  std::barrier together(kThreads);
  std::vector<std::uint32_t> ids(kThreads);
  std::vector<std::thread> workers;
  for (std::size_t t = 0; t < kThreads; ++t) {
    workers.emplace_back([&, t] {
      together.arrive_and_wait();
      const Tensor x = full(sim, {4}, static_cast<float>(t));
      ids[t] = sim.stream().value;  // before the lists are committed, so nobody's stream is idle
      together.arrive_and_wait();
      EXPECT_EQ(x.to_host(), std::vector<float>(4, static_cast<float>(t)));
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(std::set<std::uint32_t>(ids.begin(), ids.end()).size(), kThreads);
  EXPECT_EQ(sim.core().device().executed()[static_cast<std::size_t>(KernelId::kFill)], kThreads);
}

TEST(ThreadLeases, AThreadsEndDetachesItsExplicitLeaseAndCommits) {
  SimCore sim;
  std::optional<Lease> lease;
  Tensor x;
  std::thread([&] {
    lease.emplace(sim.lease());
    x = full(sim, {4}, 3.0f);
  }).join();
  EXPECT_TRUE(contains(text_of<InvalidArgument>([&] { lease->commit(); }), "attached to no thread"));
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(x.to_host(), std::vector<float>(4, 3.0f));
  lease->attach();
  EXPECT_EQ(sim.stream(), lease->id());
}

TEST(ThreadLeases, C33_AThreadsEndGivesItsImplicitStreamBackWithoutWaiting) {
  SimCore sim(exactly(1, ExhaustionPolicy::kFail));
  for (int i = 0; i < 40; ++i) {
    std::thread([&] { full(sim, {4}, 1.0f); }).join();  // the device stands still: no end may wait for it
    sim.run_all();
  }
  EXPECT_EQ(sim.pool()->totals().completed, 40u);
}

// C22, R11: two streams come back at once, two threads wait, and each must be served.
TEST(ThreadLeases, C22_TwoStreamsReturnedAtOnceServeBothWaiters) {
  SimCore sim(exactly(2));
  for (int round = 0; round < 100; ++round) {
    std::optional<Lease> a(sim.lease());
    std::optional<Lease> b(sim.lease());
    a->detach();
    b->detach();
    std::vector<std::thread> waiters;
    for (int t = 0; t < 2; ++t) waiters.emplace_back([&] { const Lease lease = sim.lease(); });
    if (round % 2 == 0) {
      ASSERT_TRUE(eventually([&] { return sim.pool()->wanted(); }));
    }
    std::thread first([&] { a.reset(); });
    b.reset();
    first.join();
    for (auto& waiter : waiters) waiter.join();
  }
}

TEST(ThreadLeases, R11_ManyWaitersOneStreamNobodyIsForgotten) {
  SimCore sim(exactly(1));
  const DeviceRunner runner(sim.device());
  std::vector<std::thread> workers;
  sync::Atomic<int> served{0};
  for (int t = 0; t < 16; ++t) {
    workers.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const Lease lease = sim.lease();
        full(sim, {4}, 1.0f);
        served.fetch_add(1);
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(served.load(), 80);
}

TEST(ThreadLeases, FairWaitingRunsOutAndNamesTheHolder) {
  CoreOptions options = exactly(1, ExhaustionPolicy::kWait);
  options.limits.lease_wait_max = milliseconds(5);
  SimCore sim(options);
  const Lease held = sim.lease();
  std::thread([&] {
    const std::string text = text_of<PoolExhausted>([&] { full(sim, {4}, 1.0f); });
    EXPECT_TRUE(contains(text, "no stream became free within 5 ms")) << text;
    EXPECT_TRUE(contains(text, "held: ")) << text;
    EXPECT_TRUE(contains(text, "stream 1 by thread ")) << text;
    EXPECT_TRUE(contains(text, "end a Lease")) << text;
  }).join();
}

TEST(ThreadLeases, C16_OthersWorkWhileOneThreadWaitsForTheDevice) {
  SimCore sim;
  std::latch waits(1);
  std::thread waiter([&] {
    const Tensor x = sim.submit();
    waits.count_down();
    sim.synchronize();
  });
  waits.wait();
  Log log;
  Lease lease = sim.lease();
  const Tensor y = full(sim, {4096}, 1.0f);
  lease.on_complete(log.handler("other"));
  EXPECT_EQ(sim.handlers().pending, 1u);
  EXPECT_EQ(sim.pool()->lanes(), 3u);
  std::thread([&] { full(sim, {4}, 1.0f); }).join();
  sim.run_all();
  waiter.join();
  EXPECT_EQ(log.wait_for(1), std::vector<std::string>{"other ok"});
}

// C45: threads end (and give streams back, and commit) while another shuts down.
TEST(ThreadLeases, C45_ThreadsThatEndDuringAShutdownLoseNothing) {
  for (int round = 0; round < 60; ++round) {
    SimCore sim({}, {.auto_run = true});
    constexpr int kThreads = 4;
    sync::Atomic<std::uint64_t> recorded{0};
    std::latch ready(kThreads);
    std::vector<std::thread> workers;
    for (int t = 0; t < kThreads; ++t) {
      workers.emplace_back([&] {
        try {
          full(sim, {4}, 1.0f);
          recorded.fetch_add(1);
          ready.count_down();
          while (true) {
            full(sim, {4}, 1.0f);
            recorded.fetch_add(1);
            if (recorded.load() > 200) break;
          }
        } catch (const Closed&) {
        }
      });
    }
    ready.wait();
    const ShutdownReport report = sim.shutdown();
    for (auto& worker : workers) worker.join();
    ASSERT_TRUE(report.complete) << report.text();
    ASSERT_EQ(report.completed, recorded.load()) << "a thread recorded after the shutdown, or a list was lost";
    ASSERT_EQ(report.abandoned, 0u);
  }
}

// The same for a lease that is ended by a thread which is not its own, and does not hold its gate.
TEST(ThreadLeases, C45_LeasesEndedFromOutsideDuringAShutdownLoseNothing) {
  for (int round = 0; round < 200; ++round) {
    SimCore sim({}, {.auto_run = true});
    std::vector<std::optional<Lease>> leases;
    for (int i = 0; i < 8; ++i) {
      leases.emplace_back(sim.lease());
      full(sim, {4}, 1.0f);
    }
    std::latch go(2);
    std::thread ender([&] {
      go.arrive_and_wait();
      for (auto& lease : leases) lease.reset();
    });
    go.arrive_and_wait();
    const ShutdownReport report = sim.shutdown();
    ender.join();
    ASSERT_TRUE(report.complete);
    ASSERT_EQ(report.completed, 8u);
  }
}

// The stream of a lease may be taken back the moment it was given.
TEST(ThreadLeases, C45_LeasesTakenDuringAShutdownAreGivenOrRefused) {
  for (int round = 0; round < 200; ++round) {
    SimCore sim({}, {.auto_run = true});
    std::latch go(3);
    std::vector<std::thread> takers;
    for (int t = 0; t < 2; ++t) {
      takers.emplace_back([&] {
        go.arrive_and_wait();
        try {
          for (int i = 0; i < 200; ++i) ASSERT_NE(sim.lease().id().value, 0u);
        } catch (const Closed&) {
        }
      });
    }
    go.arrive_and_wait();
    EXPECT_TRUE(sim.shutdown().complete);
    for (auto& taker : takers) taker.join();
  }
}

// A stream that was handed to a waiter just before the pool closed must not be recorded on afterwards.
TEST(ThreadLeases, C45_AWaiterServedWhileTheRuntimeClosesDoesNotRecordLater) {
  for (int round = 0; round < 300; ++round) {
    SimCore sim(exactly(1), {.auto_run = true});
    std::optional<Lease> only;
    std::thread([&] {
      only.emplace(sim.lease());
      only->detach();
    }).join();
    sync::Atomic<bool> closed{false};
    sync::Atomic<bool> recorded_late{false};
    std::thread waiter([&] {
      try {
        sim.stream();
        while (!closed.load()) std::this_thread::yield();
        full(sim, {4}, 1.0f);
        recorded_late.store(true);
      } catch (const Closed&) {
      }
    });
    ASSERT_TRUE(eventually([&] { return sim.pool()->wanted(); }));
    std::thread ender([&] { only.reset(); });
    EXPECT_TRUE(sim.shutdown().complete);
    closed.store(true);
    ender.join();
    waiter.join();
    ASSERT_FALSE(recorded_late.load()) << "round " << round;
  }
}

}  // namespace
}  // namespace heddle
