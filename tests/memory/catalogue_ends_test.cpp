// The classes of faults of the bug catalogue that an allocator like this one could have, part 2: what is left behind,
// and wrong use. Part 1: catalogue_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "memory/memory_fixture.hpp"
#include "memory/page_policies.hpp"

namespace heddle {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// C30: every refusal of the device, one after the other, leaves everything as it was.
TEST(Catalogue, C30_ARefusedSegmentChangesNothing) {
  for (std::uint64_t nth = 1; nth <= 12; ++nth) {
    FakePages pages;
    FaultyPages faulty(pages);
    TestMemory test({.limit = 64 * kMiB}, &faulty);
    const Buffer kept = test.make(100);
    const MemoryStatistics before = test.statistics();
    faulty.fail(nth, true);
    std::vector<Buffer> some;
    bool failed = false;
    const sync::NoWaiting no_waiting("this test");
    for (int i = 0; i < 40 && !failed; ++i) {
      try {
        some.push_back(test.make(std::size_t{5} << 20));
      } catch (const OutOfMemory& error) {
        failed = true;
        EXPECT_NE(std::string(error.what()).find("5242880 bytes were asked for"), std::string::npos) << error.what();
      }
    }
    EXPECT_TRUE(failed);
    EXPECT_EQ(test.statistics().live_blocks, some.size() + 1);
    EXPECT_EQ(test.statistics().out_of_memory, 1u);
    some.clear();
    EXPECT_EQ(test.statistics().live, before.live);
    EXPECT_TRUE(test.memory().audit());
    faulty.fail(0, false);
    EXPECT_NO_THROW(test.make(std::size_t{5} << 20)) << "it works again";
  }
}

// C31: handles that are overwritten, threads that end, streams that end: nothing stays behind.
TEST(Catalogue, C31_NothingIsLeftByHandlesThreadsAndStreams) {
  TestMemory test;
  Buffer x = test.make(1000);
  x = test.make(2000);
  const Buffer& alias = x;
  x = alias;
  Buffer copy = x;
  copy = {};
  EXPECT_EQ(test.statistics().live_blocks, 1u);
  for (int i = 0; i < 20; ++i) {
    std::vector<Buffer> some;
    elsewhere([&] {
      for (int n = 0; n < 20; ++n) some.push_back(test.make(1000));
    });
    elsewhere([&] { some.clear(); });
  }
  x = {};
  EXPECT_EQ(test.statistics().live_blocks, 0u);
  test.memory().release_cached();
  EXPECT_EQ(test.pages().held(), 0u);
}

// C58: an operation's operands may go as soon as it is recorded.
TEST(Catalogue, C58_OperandsDroppedWhileTheirCommandWaitsAreNotReused) {
  SimCore sim;
  std::optional<Tensor> x(full(sim, {1000}, 3.0f));
  sim.commit();
  Tensor sum_of_both;
  std::thread([&] {
    const Tensor y = full(sim, {1000}, 4.0f);
    sum_of_both = add(*x, y);
    sim.commit();
  }).join();
  x.reset();
  std::vector<Tensor> others;
  for (int i = 0; i < 20; ++i) others.push_back(full(sim, {1000}, -1.0f));
  sim.commit();
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(sum_of_both.to_host(), std::vector<float>(1000, 7.0f));
}

// R05 of the allocator itself: a block freed elsewhere after a later use of a stream that had used it before.
TEST(Catalogue, R05_AUseBetweenTwoLooksAtTheUsesCounts) {
  TestMemory test;
  Buffer x = test.make(1000);
  std::thread([&] {
    test.use(x);
    test.commit();
    test.run_all();
    test.use(x);
    x = {};
    EXPECT_EQ(test.memory().release_cached(), 0u);
    EXPECT_EQ(test.statistics().pending, 1024u) << "the second use is not even committed";
    test.commit();
  }).join();
  test.run_all();
  test.memory().release_cached();
  EXPECT_EQ(test.statistics().pending, 0u);
}

// R10: what a thread holds back for others is found when memory is short, and when the thread ends.
TEST(Catalogue, R10_BlocksInAnIdleThreadsOutboxAreFound) {
  TestMemory test({.limit = 4 * kMiB});
  std::vector<Buffer> blocks;
  for (int i = 0; i < 30; ++i) blocks.push_back(test.make(128 << 10));
  std::latch freed(1), end(1);
  std::thread idle([&] {
    for (int i = 0; i < 15; ++i) blocks.pop_back();
    freed.count_down();
    end.wait();
  });
  freed.wait();
  EXPECT_NO_THROW(test.make(kMiB)) << "1.9 MiB are free, most of them in the thread's outbox";
  end.count_down();
  idle.join();
  blocks.clear();
  test.memory().release_cached();
  EXPECT_EQ(test.pages().held(), 0u);
}

// R17: the memory ends while threads still hold blocks of it; the last one ends it.
TEST(Catalogue, R17_TheLastBlockMayBeFreedByAnyThreadAfterTheEnd) {
  for (int round = 0; round < 20; ++round) {
    std::vector<Tensor> tensors;
    {
      Runtime runtime;
      for (int i = 0; i < 8; ++i) tensors.push_back(full(runtime, {1000}, 1.0f));
      runtime.synchronize();
    }
    std::vector<std::thread> threads;
    std::latch start(4);
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        tensors[2 * t] = Tensor();
        tensors[2 * t + 1] = Tensor();
      });
    }
    for (auto& thread : threads) thread.join();
  }
}

// R19: pending blocks of a stream that nobody uses any more become free for others.
TEST(Catalogue, R19_AnIdleStreamsPendingBlocksServeOthers) {
  TestMemory test({.limit = 4 * kMiB});
  std::thread([&] {
    Buffer x = test.make(3 * kMiB);
    {
      const Lease other = test.sim().lease();
      test.use(x);
      test.commit();
    }
    x = {};
  }).join();
  test.memory().release_cached();
  EXPECT_EQ(test.statistics().pending, 3 * kMiB);
  test.run_all();
  EXPECT_NO_THROW(test.make(3 * kMiB));
  EXPECT_EQ(test.statistics().pending, 0u);
}

class CatalogueDeathTest : public ::testing::Test {
 protected:
  // A forked child frees nothing: these need a process of their own.
  CatalogueDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// R22: a block that waits for other streams' uses is not live: a second free of it is a fault.
TEST_F(CatalogueDeathTest, R22_FreeingAPendingBlockAgainIsNamed) {
  TestMemory test;
  Buffer x = test.make(1000);
  Block& block = x.block();
  {
    const Lease other = test.sim().lease();
    test.use(x);
    test.commit();
  }
  x = {};
  EXPECT_DEATH(test.memory().free(&block), "freed twice");
  test.run_all();
}

TEST_F(CatalogueDeathTest, C04_AForeignBlockIsNamed) {
  TestMemory one;
  TestMemory two;
  Buffer x = one.make(1000);
  EXPECT_DEATH(two.memory().free(&x.block()), "another memory than its own|not live");
}

}  // namespace
}  // namespace heddle
