// Store buffers: their possible outcomes, what drains them, and the number of executions.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>
#include <utility>

#include "kernels.hpp"
#include "store_buffering.hpp"

namespace heddle_check {
namespace {

constexpr Limits buffers(std::uint32_t of, std::uint32_t stale_reads = 0) {
  return {.stale_reads = stale_reads, .store_buffer = of};
}

Outcomes outcomes_of(Limits limits, const Between& between0, const Between& between1,
                     std::memory_order store = relaxed) {
  Outcomes outcomes;
  expect_pass(exhaust(store_buffering_kernel(outcomes, store, relaxed, between0, between1), limits));
  return outcomes;
}

TEST(StoreBuffer, DekkerNeedsFences) {
  EXPECT_EQ(outcomes_of(buffers(1), nothing, nothing), kAllFour);
  EXPECT_EQ(outcomes_of(buffers(1), nothing, nothing, release), kAllFour);
  EXPECT_EQ(outcomes_of(buffers(1), full_fence, nothing), kAllFour);
  EXPECT_EQ(outcomes_of(buffers(1), full_fence, full_fence), kNotBothOld);
  EXPECT_EQ(outcomes_of(buffers(1), nothing, nothing, seq_cst), kNotBothOld);
  EXPECT_EQ(outcomes_of({}, nothing, nothing), kNotBothOld) << "without buffers every store is visible immediately";
}

// The light side is program order only; the heavy side drains both buffers, even if loads may be stale.
TEST(StoreBuffer, AHeavyFenceOnOneSideIsEnough) {
  for (const std::uint32_t stale : {0u, 4u}) {
    EXPECT_EQ(outcomes_of(buffers(1, stale), nothing, heavy), kNotBothOld) << stale;
    EXPECT_EQ(outcomes_of(buffers(1, stale), heavy, nothing), kNotBothOld) << stale;
    EXPECT_EQ(outcomes_of(buffers(1, stale), nothing, nothing), kAllFour) << stale;
  }
}

// A store made after a heavy fence may stay unseen.
TEST(StoreBuffer, AHeavyFenceDoesNotWaitForLaterStores) {
  std::set<std::pair<int, int>> seen;
  expect_pass(exhaust(
      [&] {
        Atomic<int> second{0}, go{0};
        int r = -1, made = -1;
        run_together({{"storer",
                       [&] {
                         if (go.load(relaxed) == 1) second.store(1, relaxed);
                         made = second.load(relaxed);
                       }},
                      {"fencer", [&] {
                         go.store(1, relaxed);
                         fence_all_threads();
                         r = second.load(relaxed);
                       }}});
        seen.emplace(made, r);
      },
      buffers(2)));
  EXPECT_EQ(seen, (Outcomes{{0, 0}, {1, 0}, {1, 1}}));
}

// Two threads that each make k stores and then load the other's k. Each load comes before or after the flush of its
// store, in any combination: 4^k orders of dependent operations.
TEST(StoreBuffer, CountsOfDekker) {
  std::uint64_t orders = 1;
  for (std::size_t stores = 1; stores <= 3; ++stores) {
    orders *= 4;
    const Result result = exhaust(
        [stores] {
          std::array<std::array<Atomic<int>, 3>, 2> flags;
          at_once(2, [&](int t) {
            const auto own = static_cast<std::size_t>(t);
            for (std::size_t i = 0; i < stores; ++i) flags[own][i].store(1, relaxed);
            for (std::size_t i = 0; i < stores; ++i) static_cast<void>(flags[1 - own][i].load(relaxed));
          });
        },
        buffers(3));
    expect_pass(result);
    EXPECT_EQ(result.executions - result.redundant, orders) << stores << " stores";
  }
}

// Flushes come in the order of the stores, and a thread reads its own stores.
TEST(StoreBuffer, StoresStayInOrderAndAreReadByTheirThread) {
  Outcomes seen;
  expect_pass(exhaust(
      [&] {
        Atomic<int> data{0}, flag{0};
        int read_flag = -1, read_data = -1;
        run_together({{"writer",
                       [&] {
                         data.store(1, relaxed);
                         flag.store(1, relaxed);
                         require(data.load(relaxed) == 1 && flag.load(relaxed) == 1, "own stores are read");
                       }},
                      {"reader", [&] {
                         read_flag = flag.load(relaxed);
                         read_data = data.load(relaxed);
                       }}});
        require(data.load(relaxed) == 1 && flag.load(relaxed) == 1, "a thread that ended has nothing pending");
        seen.emplace(read_flag, read_data);
      },
      buffers(2)));
  EXPECT_EQ(seen, (Outcomes{{0, 0}, {0, 1}, {1, 1}}));
}

// A flushed store publishes what its thread knew when it made the store.
TEST(StoreBuffer, OrdersHandOnWhatWasKnown) {
  const auto body = [](std::memory_order store) {
    return [store] {
      Atomic<int> flag{0};
      Cell<int> data(0, "data");
      run_together({{"writer",
                     [&] {
                       data.set(1);
                       flag.store(1, store);
                     }},
                    {"reader", [&] {
                       if (flag.load(acquire) == 1) data.get();
                     }}});
    };
  };
  for (const std::uint32_t stale : {0u, 2u}) {
    expect_pass(exhaust(body(release), buffers(1, stale)));
    expect_failure(exhaust(body(relaxed), buffers(1, stale)), FailureKind::kRace);
  }
}

// Each of these, between the store and the load on both sides, makes the store visible first.
TEST(StoreBuffer, LockedOperationsDrain) {
  const auto update = [] {
    Atomic<int> own{0};
    own.fetch_add(1, relaxed);
  };
  const auto section = [] {
    Mutex mutex;
    mutex.lock();
    mutex.unlock();
  };
  const auto start = [] { Thread("started", [] {}).join(); };
  const auto acquire_fence = [] { thread_fence(acquire); };
  EXPECT_EQ(outcomes_of(buffers(1), update, update), kNotBothOld);
  EXPECT_EQ(outcomes_of(buffers(1), section, section), kNotBothOld);
  EXPECT_EQ(outcomes_of(buffers(1), start, start), kNotBothOld);
  EXPECT_EQ(outcomes_of(buffers(1), acquire_fence, acquire_fence), kAllFour) << "no barrier on x86";
}

TEST(StoreBuffer, AFullBufferWaitsAndSpinLoopsEnd) {
  expect_pass(exhaust(
      [] {
        Atomic<int> a{0}, b{0};
        run_together({{"storer",
                       [&] {
                         a.store(1, relaxed);
                         b.store(1, relaxed);  // full: `a` is visible now
                       }},
                      {"spinner", [&] {
                         while (b.load(relaxed) == 0) yield();
                         require(a.load(relaxed) == 1, "in order");
                       }}});
      },
      {.points_max = 200, .store_buffer = 1}));
}

TEST(StoreBuffer, AnAtomicThatIsDestroyedIsNotWritten) {
  expect_pass(exhaust(
      [] {
        at_once(2, [](int) {
          Atomic<int> own{0};
          own.store(1, relaxed);
        });
      },
      buffers(2)));
  const auto destroyed_by_another = [] {
    auto shared = std::make_unique<Atomic<int>>(0);
    Atomic<int> given{0};
    run_together({{"storer",
                   [&] {
                     shared->store(1, relaxed);
                     given.load();
                   }},
                  {"destroyer", [&] {
                     given.load();
                     shared.reset();
                   }}});
  };
  expect_failure(exhaust(destroyed_by_another, buffers(1)), FailureKind::kUseAfterDestroy);
}

// Buffers are threads to every strategy: each strategy finds a failure that needs a late flush, and it replays.
TEST(StoreBuffer, EveryStrategyFindsALateStore) {
  Outcomes outcomes;
  const auto kernel = store_buffering_kernel(outcomes, relaxed, relaxed, nothing, nothing);
  const Scenario broken = scenario(
      [&] {
        outcomes.clear();
        kernel();
        require(!outcomes.contains({0, 0}), "one sees the other");
      },
      buffers(1));
  for (const char* name : {"exhaustive", "bounded:2", "walk:1", "pct:2", "pos", "surw"}) {
    const auto strategy = make_strategy(parse_strategy(name), 1);
    Explorer explorer;
    const Result result = explorer.explore(broken, *strategy, {.executions = 2'000});
    expect_failure(result, FailureKind::kOracle);
    EXPECT_NE(result.trace.find("store in buffer"), std::string::npos) << result.trace;
    EXPECT_EQ(explorer.replay(broken, result.decisions).trace_hash, result.trace_hash) << name;
  }
}

}  // namespace
}  // namespace heddle_check
