#include "heddle/memory/depot.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <thread>
#include <vector>

#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

std::byte* at(std::size_t offset) { return std::bit_cast<std::byte*>((std::uintptr_t{1} << 40) + offset); }

// Two streams of a simulated device.
class Depots : public ::testing::Test {
 protected:
  Lane& lane(int which) {
    (void)first_;
    for (Lane* lane : sim_.pool()->existing_lanes()) {
      if (which-- == 0) return *lane;
    }
    return *sim_.pool()->existing_lanes().front();
  }
  // The latest ticket of `lane`, after one more command.
  StreamUse use(Lane& lane) {
    lane.append(KernelId::kFill, FillArgs{nullptr, 0, 0});
    return {&lane, lane.issued()};
  }

  SimCore sim_;
  Lease first_ = sim_.lease();
  Lease second_ = sim_.lease();
  Depot depot_;
};

TEST_F(Depots, GivesTheSmallestThatFitsOrLess) {
  depot_.give({{at(0), 10'000}, {at(20'000), 3000}}, {});
  EXPECT_EQ(depot_.take(lane(0), 20'000, 2000).base, at(20'000));
  EXPECT_EQ(depot_.take(lane(0), 9000, 2000).base, at(0));
  EXPECT_EQ(depot_.take(lane(0), 9000, 2000).base, nullptr);
  EXPECT_EQ(depot_.totals().ready, 2000u);
}

// C06, C12: what a stream may still touch is nobody else's, and not the device's.
TEST_F(Depots, C06_ASpanIsReadyOnlyOnceItsTicketPassed) {
  const StreamUse last = use(lane(1));
  depot_.give({{at(0), 4096}}, last);
  EXPECT_EQ(depot_.take(lane(0), 4096, 4096).base, nullptr);
  EXPECT_EQ(depot_.totals().waiting, 4096u);
  const Span own = depot_.take(lane(1), 4096, 4096);
  EXPECT_EQ(own.base, at(0)) << "its own stream has it in stream order";
  depot_.give({own}, last);
  lane(1).commit();
  EXPECT_EQ(depot_.take(lane(0), 4096, 4096).base, nullptr);
  sim_.run_all();
  EXPECT_EQ(depot_.take(lane(0), 4096, 4096).base, at(0));
}

TEST_F(Depots, AWaitingSpanIsOfferedWithItsTicketOnceThatIsCommitted) {
  const StreamUse last = use(lane(1));
  depot_.give({{at(0), 8192}}, last);
  EXPECT_EQ(depot_.find_waiting(4096).lane, nullptr) << "its list is not committed";
  lane(1).commit();
  const StreamUse found = depot_.find_waiting(4096);
  EXPECT_EQ(found.lane, last.lane);
  EXPECT_EQ(found.ticket, last.ticket);
  EXPECT_EQ(depot_.take_after({last.lane, Ticket{}}, 4096).base, nullptr) << "an earlier ticket does not do";
  EXPECT_EQ(depot_.take_after(found, 4096).base, at(0));
  EXPECT_EQ(depot_.totals().waiting, 4096u) << "the rest stays";
  sim_.run_all();
  EXPECT_EQ(depot_.take_after(found, 4096).base, at(4096)) << "it has passed since";
  EXPECT_EQ(depot_.find_waiting(1).lane, nullptr);
}

TEST_F(Depots, NamesTheStreamThatHoldsMostBackByNotCommitting) {
  depot_.give({{at(0), 4096}}, use(lane(0)));
  depot_.give({{at(8192), 8192}, {at(20'480), 512}}, use(lane(1)));
  EXPECT_EQ(depot_.uncommitted(nullptr).stream, &lane(1));
  EXPECT_EQ(depot_.uncommitted(nullptr).bytes, 4096u + 8192 + 512);
  EXPECT_EQ(depot_.uncommitted(&lane(1)).stream, &lane(0)) << "a stream has its own in stream order";
  EXPECT_EQ(depot_.uncommitted(&lane(1)).bytes, 4096u);
  lane(1).commit();
  EXPECT_EQ(depot_.uncommitted(nullptr).stream, &lane(0)) << "the other's is the device's matter";
  EXPECT_EQ(depot_.uncommitted(nullptr).bytes, 4096u);
  lane(0).commit();
  EXPECT_EQ(depot_.uncommitted(nullptr).stream, nullptr);
  sim_.run_all();
}

TEST_F(Depots, NeighboursOfDifferentShardsJoinWhenGathered) {
  depot_.give({{at(0), 4096}}, {&lane(0), Ticket{}});
  depot_.give({{at(4096), 4096}}, {&lane(1), Ticket{}});
  EXPECT_EQ(depot_.take(lane(0), 8192, 8192).base, nullptr);
  depot_.gather();
  EXPECT_EQ(depot_.totals().largest, 8192u);
  EXPECT_EQ(depot_.take(lane(0), 8192, 8192).base, at(0));
}

TEST_F(Depots, TakesOutWholeSegmentsOnly) {
  FakePages pages;
  Segments segments(pages);
  const Span a = segments.obtain(8192, 8192);
  const Span b = segments.obtain(8192, 8192);
  depot_.give({{a.base + 256, 16384 - 256}}, {});  // all of b, and not all of a
  const std::vector<Span> taken = depot_.take_segments(segments, ~std::size_t{0});
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].base, b.base);
  EXPECT_EQ(depot_.totals().ready, 8192u - 256);
}

// What goes in comes out once, whatever the threads do.
TEST_F(Depots, ManyThreadsNeverGetTheSameMemory) {
  constexpr std::size_t kSpan = 4096;
  std::vector<Span> all;
  for (std::size_t i = 0; i < 64; ++i) all.push_back({at(2 * i * kSpan), kSpan});
  depot_.give(all, {});
  std::vector<sync::Atomic<int>> users(64);
  std::vector<std::thread> threads;
  sync::Atomic<bool> overlapped{false};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 3000; ++i) {
        const Span span = depot_.take(lane(t % 2), kSpan, kSpan);
        if (span.base == nullptr) continue;
        auto& user = users[static_cast<std::size_t>(span.base - at(0)) / (2 * kSpan)];
        if (user.fetch_add(1) != 0) overlapped.store(true);
        if (i % 50 == 0) depot_.gather();
        user.fetch_sub(1);
        depot_.give({span}, {&lane(t % 2), Ticket{}});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(overlapped.load());
  EXPECT_EQ(depot_.totals().ready, 64 * kSpan);
}

}  // namespace
}  // namespace heddle
