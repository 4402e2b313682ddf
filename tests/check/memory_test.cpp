// Litmus tests: which outcomes stale reads can and cannot have.
#include <gtest/gtest.h>

#include <set>

#include "kernels.hpp"
#include "store_buffering.hpp"

namespace heddle_check {
namespace {

constexpr Limits kStale{.stale_reads = 4};

Outcomes store_buffering(std::memory_order store, std::memory_order load, Limits limits, const Between& between0,
                         const Between& between1) {
  Outcomes outcomes;
  const Result result = exhaust(store_buffering_kernel(outcomes, store, load, between0, between1), limits);
  EXPECT_TRUE(result.exhausted && !result.failed()) << result.failure.text;
  return outcomes;
}

TEST(Litmus, StoreBuffering) {
  EXPECT_EQ(store_buffering(release, acquire, kStale, nothing, nothing), kAllFour);
  EXPECT_EQ(store_buffering(relaxed, relaxed, kStale, nothing, nothing), kAllFour);
  EXPECT_EQ(store_buffering(seq_cst, seq_cst, kStale, nothing, nothing), kNotBothOld);
  EXPECT_EQ(store_buffering(relaxed, relaxed, kStale, full_fence, full_fence), kNotBothOld);
  EXPECT_EQ(store_buffering(relaxed, relaxed, kStale, full_fence, nothing), kAllFour);
  // Without a budget for stale reads, everything is sequentially consistent.
  EXPECT_EQ(store_buffering(relaxed, relaxed, {}, nothing, nothing), kNotBothOld);
}

// The light side is only program order; the heavy side fences both.
TEST(Litmus, AsymmetricFence) {
  EXPECT_EQ(store_buffering(relaxed, relaxed, kStale, nothing, heavy), kNotBothOld);
  EXPECT_EQ(store_buffering(relaxed, relaxed, kStale, heavy, nothing), kNotBothOld);
}

Outcomes message_passing(std::memory_order store, std::memory_order load) {
  Outcomes outcomes;
  const Result result = exhaust(
      [&] {
        Atomic<int> data{0}, flag{0};
        int seen_flag = -1, seen_data = -1;
        run_together({{"writer",
                       [&] {
                         data.store(1, relaxed);
                         flag.store(1, store);
                       }},
                      {"reader", [&] {
                         seen_flag = flag.load(load);
                         seen_data = data.load(relaxed);
                       }}});
        outcomes.emplace(seen_flag, seen_data);
      },
      kStale);
  EXPECT_TRUE(result.exhausted && !result.failed()) << result.failure.text;
  return outcomes;
}

TEST(Litmus, MessagePassing) {
  const Outcomes ordered{{0, 0}, {0, 1}, {1, 1}};
  EXPECT_EQ(message_passing(release, acquire), ordered);
  EXPECT_EQ(message_passing(seq_cst, seq_cst), ordered);
  EXPECT_EQ(message_passing(relaxed, acquire), kAllFour);
  EXPECT_EQ(message_passing(release, relaxed), kAllFour);
}

// A thread that has read a store never reads an older one.
TEST(Litmus, ReadsOfOneAtomicNeverGoBack) {
  const Result result = exhaust(
      [] {
        Atomic<int> x{0};
        run_together({{"writer",
                       [&] {
                         x.store(1, relaxed);
                         x.store(2, relaxed);
                       }},
                      {"reader", [&] {
                         const int first = x.load(relaxed);
                         require(x.load(relaxed) >= first, "coherence");
                       }}});
        require(x.load(relaxed) == 2, "joined: the newest is known");
      },
      kStale);
  EXPECT_TRUE(result.exhausted && !result.failed()) << result.failure.text;
}

// A read-modify-write between release and acquire does not break the chain.
TEST(Litmus, ReleaseSequence) {
  const auto body = [](bool update) {
    return [=] {
      Atomic<int> flag{0};
      Cell<int> data(0, "data");
      run_together({{"writer",
                     [&] {
                       data.set(1);
                       flag.store(1, release);
                     }},
                    {"middle",
                     [&] {
                       if (update) {
                         int one = 1;
                         flag.compare_exchange_strong(one, 2, relaxed);
                       } else if (flag.load(relaxed) == 1) {
                         flag.store(2, relaxed);
                       }
                     }},
                    {"reader", [&] {
                       if (flag.load(acquire) == 2) data.get();
                     }}});
    };
  };
  EXPECT_FALSE(exhaust(body(true), kStale).failed());
  EXPECT_EQ(exhaust(body(false), kStale).failure.kind, FailureKind::kRace);
  EXPECT_EQ(exhaust(body(false)).failure.kind, FailureKind::kRace);  // orders matter even if the values are new
}

TEST(Litmus, Fences) {
  const auto body = [](bool fences) {
    return [=] {
      Atomic<int> flag{0};
      Cell<int> data(0, "data");
      run_together({{"writer",
                     [&] {
                       data.set(1);
                       if (fences) thread_fence(release);
                       flag.store(1, relaxed);
                     }},
                    {"reader", [&] {
                       if (flag.load(relaxed) != 1) return;
                       if (fences) thread_fence(acquire);
                       data.get();
                     }}});
    };
  };
  EXPECT_FALSE(exhaust(body(true), kStale).failed());
  EXPECT_EQ(exhaust(body(false), kStale).failure.kind, FailureKind::kRace);
}

TEST(Litmus, SpinLoopsEndUnderStaleReads) {
  const Result result = exhaust(
      [] {
        Atomic<int> go{0};
        run_together({{"spinner",
                       [&] {
                         while (go.load(relaxed) == 0) yield();
                       }},
                      {"other", [&] { go.store(1, relaxed); }}});
      },
      {.points_max = 200, .stale_reads = 100});
  EXPECT_TRUE(result.exhausted && !result.failed()) << result.failure.text;
}

}  // namespace
}  // namespace heddle_check
