#include "heddle/stream/lane_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <latch>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "heddle/stream/lane_exchange.hpp"
#include "heddle/stream/progress.hpp"
#include "heddle/sync/thread.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

Options small_pool(std::uint32_t streams, std::uint32_t streams_max) {
  Options options;
  options.streams = streams;
  options.streams_max = streams_max;
  return options;
}

TEST(LanePool, C37_StreamZeroBelongsToTheMainThreadWhoeverComesFirst) {
  Runtime runtime;
  StreamId other{99};
  std::thread([&] { other = runtime.stream().id(); }).join();
  EXPECT_NE(other.value, 0u);
  EXPECT_EQ(runtime.stream().id().value, 0u);
}

TEST(LanePool, C34_OneHolderForEachStream) {
  Runtime runtime;
  for (const int threads : {33, 80}) {
    std::barrier together(threads);
    std::vector<std::uint32_t> ids(static_cast<std::size_t>(threads));
    std::vector<std::thread> workers;
    workers.reserve(ids.size());
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        const Lease lease = runtime.lease();
        ids[static_cast<std::size_t>(t)] = lease.id().value;
        together.arrive_and_wait();
      });
    }
    for (auto& worker : workers) worker.join();
    EXPECT_EQ(std::set<std::uint32_t>(ids.begin(), ids.end()).size(), static_cast<std::size_t>(threads));
  }
}

TEST(LanePool, C33_TwoHundredThreadsInTurnNeedOneStream) {
  Runtime runtime;
  for (int i = 0; i < 200; ++i) {
    std::thread([&] { EXPECT_EQ(sum(full(runtime, {4}, 2.0f)).item(), 8.0f); }).join();
  }
  EXPECT_LE(runtime.streams(), 2u);
}

TEST(LanePool, TenTimesEightThreadsReuseTheirStreams) {
  Runtime runtime;
  for (int round = 0; round < 10; ++round) {
    std::vector<std::thread> workers;
    workers.reserve(8);
    for (int t = 0; t < 8; ++t) {
      workers.emplace_back([&, t] {
        const Tensor x = full(runtime, {8, 8}, static_cast<float>(t));
        EXPECT_EQ(sum(x).item(), 64.0f * static_cast<float>(t));
      });
    }
    for (auto& worker : workers) worker.join();
  }
  EXPECT_LE(runtime.streams(), 32u);
}

TEST(LanePool, AnIdleImplicitLeaseIsRevokedForAWaiterAndTakenAgain) {
  Runtime runtime(small_pool(1, 1));
  std::barrier step(2);
  std::thread first([&] {
    EXPECT_EQ(full(runtime, {1}, 1.0f).item(), 1.0f);
    runtime.synchronize();
    step.arrive_and_wait();  // idle, keeps its implicit lease
    step.arrive_and_wait();  // the other thread has worked on the only stream
    EXPECT_EQ(full(runtime, {1}, 3.0f).item(), 3.0f);
  });
  step.arrive_and_wait();
  std::thread second([&] { EXPECT_EQ(full(runtime, {1}, 2.0f).item(), 2.0f); });
  second.join();
  step.arrive_and_wait();
  first.join();
  EXPECT_EQ(runtime.streams(), 1u);
}

TEST(LanePool, ARecordingThreadIsNotRevoked) {
  Options options = small_pool(1, 1);
  options.limits.lease_wait_max = std::chrono::milliseconds(50);
  Runtime runtime(options);
  std::barrier step(2);
  std::thread holder([&] {
    const Tensor x = full(runtime, {1}, 5.0f);  // recorded, not committed
    step.arrive_and_wait();
    step.arrive_and_wait();
    EXPECT_EQ(x.item(), 5.0f);
  });
  step.arrive_and_wait();
  std::thread waiter([&] {
    try {
      full(runtime, {1}, 6.0f);
      ADD_FAILURE() << "got a stream that was in use";
    } catch (const PoolExhausted& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("stream 1 by thread"), std::string::npos) << text;
      EXPECT_NE(text.find("(implicit)"), std::string::npos) << text;
    }
  });
  waiter.join();
  step.arrive_and_wait();
  holder.join();
}

TEST(LanePool, FailPolicyFailsAtOnceAndNamesTheHolder) {
  Options options = small_pool(1, 1);
  options.exhaustion = ExhaustionPolicy::kFail;
  Runtime runtime(options);
  std::barrier step(2);
  std::thread holder([&] {
    const Lease lease = runtime.lease();
    step.arrive_and_wait();
    step.arrive_and_wait();
  });
  step.arrive_and_wait();
  std::thread([&] { EXPECT_THROW(runtime.lease(), PoolExhausted); }).join();
  step.arrive_and_wait();
  holder.join();
  std::thread([&] { EXPECT_NO_THROW(runtime.lease()); }).join();
}

// Stream 0 is the main thread's alone: it waits for it, behind nobody, whatever becomes of the other streams.
TEST(LanePool, C33_TheMainThreadWaitsForItsOwnStream) {
  for (const ExhaustionPolicy policy : {ExhaustionPolicy::kWait, ExhaustionPolicy::kFail}) {
    std::unique_ptr<SimCore> core;
    std::thread([&] { core = std::make_unique<SimCore>(exactly(1, policy)); }).join();  // so stream 0 is still free
    SimCore& sim = *core;
    std::barrier step(2);
    std::thread holder([&] {
      const Lease lease = sim.lease();
      step.arrive_and_wait();
      step.arrive_and_wait();
    });
    step.arrive_and_wait();
    std::optional<Lease> lease(sim.lease());
    ASSERT_EQ(lease->id().value, 0u);
    sim.submit();
    lease.reset();  // its work has still to run
    sync::Atomic<bool> waits{policy == ExhaustionPolicy::kWait};
    std::thread other([&] {
      if (policy == ExhaustionPolicy::kFail) return;
      sim.lease();
      waits.store(false);
    });
    EXPECT_TRUE(policy == ExhaustionPolicy::kFail || eventually([&] { return sim.pool()->wanted(); }));
    {
      const DeviceRunner runner(sim.device());
      EXPECT_NO_THROW(lease.emplace(sim.lease()));
    }
    EXPECT_TRUE(lease.has_value() && lease->id().value == 0u);
    EXPECT_EQ(waits.load(), policy == ExhaustionPolicy::kWait) << "the other stream is still held";
    lease.reset();
    step.arrive_and_wait();
    holder.join();
    other.join();
  }
}

// More threads than streams, eight active at a time: everybody gets through, with right results.
TEST(LanePool, FiveHundredThreadsShareTheStreams) {
  Runtime runtime;
  constexpr int kThreads = 500;
  constexpr int kActive = 8;
  std::barrier everyone(kThreads);
  sync::Atomic<int> wrong{0};
  sync::Mutex mutex(Rank::kLeaf);
  sync::ConditionVariable freed;
  int active = 0;
  std::vector<std::thread> workers;
  workers.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    workers.emplace_back([&, t] {
      everyone.arrive_and_wait();
      for (int round = 0; round < 3; ++round) {
        {
          sync::MutexLock lock(mutex);
          while (active == kActive) freed.wait(mutex);
          ++active;
        }
        if (sum(full(runtime, {16}, static_cast<float>(t))).item() != 16.0f * static_cast<float>(t)) wrong.fetch_add(1);
        runtime.synchronize();
        {
          sync::MutexLock lock(mutex);
          --active;
        }
        freed.notify_one();
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_LE(runtime.streams(), 129u);
}

TEST(LanePool, ALeaseGivesItsStreamBackAndTheOneBeforeReturns) {
  Runtime runtime;
  const StreamId own = runtime.stream().id();
  {
    const Lease outer = runtime.lease();
    EXPECT_EQ(runtime.stream().id(), outer.id());
    {
      const Lease inner = runtime.lease();
      EXPECT_EQ(runtime.stream().id(), inner.id());
      EXPECT_NE(inner.id(), outer.id());
    }
    EXPECT_EQ(runtime.stream().id(), outer.id());
  }
  EXPECT_EQ(runtime.stream().id(), own);
}

TEST(LanePool, AStreamReturnedWithRecordedWorkRunsIt) {
  Runtime runtime;
  Tensor x;
  {
    const Lease lease = runtime.lease();
    x = full(runtime, {3}, 4.0f);  // recorded on the lease, committed by its end
  }
  EXPECT_EQ(sum(x).item(), 12.0f);
}

// The fence of a revocation interrupts every thread, so those who come next should not need one each.
TEST(LanePool, OneRevocationServesAFewThatComeLater) {
  constexpr int kStreams = 12;
  SimCore sim(exactly(kStreams), {.auto_run = true});
  std::latch used(kStreams), go(1);
  std::vector<std::thread> idle;
  for (int i = 0; i < kStreams; ++i) {
    idle.emplace_back([&] {
      full(sim, {4}, 1.0f);
      sim.synchronize();
      used.count_down();
      go.wait();  // idle, and holds its implicit lease
    });
  }
  used.wait();
  const auto implicit = [&] {
    const std::string held = sim.pool()->holders();
    return std::count(held.begin(), held.end(), '(');
  };
  const auto before = implicit();
  ASSERT_GE(before, kStreams);
  std::thread([&] { full(sim, {4}, 1.0f); }).join();
  EXPECT_LE(implicit(), before - 5) << sim.pool()->holders();
  EXPECT_GE(implicit(), 1) << "not all of them: " << sim.pool()->holders();
  go.count_down();
  for (auto& thread : idle) thread.join();
}

TEST(LanePool, AVisitThatThrowsLeavesNoStreamClaimed) {
  SimCore sim;
  const Lease lease = sim.lease();
  EXPECT_THROW(sim.pool()->visit_idle([](Lane&) { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_TRUE(sim.try_commit()) << "its thread gets in";
}

}  // namespace
}  // namespace heddle
