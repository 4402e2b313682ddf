// The classes of faults of the bug catalogue that an allocator like this one could have, each tried. Those that it
// cannot have are in docs/design-rules-out.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// --- a block is used while it is, or becomes, somebody else's ---

// C06: recycling while the device still reads the block. The three ways in which a block becomes free.
TEST(Catalogue, C06_ABlockFreedAtHomeWaitsForItsUsesElsewhere) {
  TestMemory test;
  Buffer x = test.make(1000);
  const void* address = x.data();
  std::thread([&] {
    test.use(x);
    test.commit();
  }).join();
  x = {};
  EXPECT_EQ(test.statistics().pending, 1024u);
  std::vector<Buffer> others;
  for (int i = 0; i < 300; ++i) others.push_back(test.make(1000));
  for (const Buffer& other : others) EXPECT_NE(other.data(), address);
  others.clear();
  test.run_all();
  test.memory().release_cached();
  EXPECT_EQ(test.statistics().pending, 0u);
}

TEST(Catalogue, C06_ABlockFreedElsewhereWaitsForItsUsesElsewhere) {
  TestMemory test;
  Buffer x = test.make(1000);
  const void* address = x.data();
  std::thread([&] {
    test.use(x);
    test.commit();
    x = {};  // through this thread's outbox
  }).join();
  std::vector<Buffer> others;
  for (int i = 0; i < 300; ++i) others.push_back(test.make(1000));
  for (const Buffer& other : others) EXPECT_NE(other.data(), address);
  EXPECT_EQ(test.statistics().pending, 1024u);
  test.run_all();
}

TEST(Catalogue, C06_SurrenderedMemoryWaitsForItsOwnStream) {
  TestMemory test({.limit = 4 * kMiB});
  const void* address = nullptr;
  std::thread([&] {
    Buffer x = test.make(3 * kMiB);
    address = x.data();
    test.use(x);
    test.commit();
  }).join();
  std::thread other([&] {
    const sync::NoWaiting no_waiting("this test");
    EXPECT_THROW(test.make(3 * kMiB), OutOfMemory) << "given out before its stream had finished";
  });
  other.join();
  test.run_all();
  EXPECT_EQ(test.make(3 * kMiB).data(), address);
}

// C07, R05: the allocator knows every use, the later ones of a stream too.
TEST(Catalogue, C07_EachStreamsLatestUseCounts) {
  TestMemory test;
  Buffer x = test.make(1000);
  constexpr int kStreams = 12;  // more than fit one entry block of its residency
  std::vector<Lease> leases;
  for (int i = 0; i < kStreams; ++i) {
    leases.push_back(test.sim().lease());
    test.use(x);
    test.commit();
  }
  test.run_all();
  {
    const Lease last = test.sim().lease();
    test.use(x);
    test.commit();
    test.use(x);
    test.commit();
  }
  leases.clear();
  x = {};
  ASSERT_TRUE(test.sim().device().step());
  test.memory().release_cached();
  EXPECT_EQ(test.statistics().pending, 1024u) << "the second use of the last stream is still to come";
  test.run_all();
  test.memory().release_cached();
  EXPECT_EQ(test.statistics().pending, 0u);
}

// C08: uses are noted by several threads at once, and read by whoever drops the last reference.
TEST(Catalogue, C08_UsesNotedAtOnceAreAllSeenByTheFree) {
  for (int round = 0; round < 50; ++round) {
    TestMemory test;
    Buffer x = test.make(1000);
    constexpr int kThreads = 6;
    std::latch start(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, mine = x]() mutable {
        start.arrive_and_wait();
        test.use(mine);
        test.commit();
        mine = {};
      });
    }
    x = {};
    for (auto& thread : threads) thread.join();
    for (int i = 0; i < kThreads; ++i) {
      test.memory().release_cached();
      ASSERT_EQ(test.statistics().pending, 1024u) << i << " of " << kThreads << " uses are done";
      ASSERT_TRUE(test.sim().device().step());
    }
    test.memory().release_cached();
    ASSERT_EQ(test.statistics().pending, 0u);
  }
}

// C09: a block that is still in use when pending ones are looked through goes back into what is looked through.
TEST(Catalogue, C09_BlocksThatStayPendingAreKeptWhileOthersLeave) {
  TestMemory test;
  std::vector<Buffer> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(test.make(1000));
  {
    const Lease other = test.sim().lease();
    for (const Buffer& block : blocks) {
      test.use(block);
      test.commit();
    }
  }
  blocks.clear();
  for (std::size_t left = 10; left-- > 0;) {
    ASSERT_TRUE(test.sim().device().step());
    test.memory().release_cached();
    EXPECT_EQ(test.statistics().pending, left * 1024);
  }
}

// C10, R14: segments are given back without a lock while other threads take and surrender memory.
TEST(Catalogue, C10_GivingBackAndAllocatingAtOnceKeepTheSums) {
  FakePages pages;
  DelayedPages delayed(pages, std::chrono::microseconds(20));
  TestMemory test({.limit = 64 * kMiB}, &delayed);
  sync::Atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        std::vector<Buffer> some;
        for (int n = 0; n < 5; ++n)
          some.push_back(test.make(static_cast<std::size_t>(1 + (i * 7 + n * 13 + t) % 40) << 15));
      }
    });
  }
  std::thread releaser([&] {
    while (!stop.load()) test.memory().release_cached();
  });
  for (auto& thread : threads) thread.join();
  stop.store(true);
  releaser.join();
  EXPECT_TRUE(test.memory().audit());
  EXPECT_LE(pages.peak(), 64 * kMiB);
  test.memory().release_cached();
  EXPECT_EQ(pages.held(), 0u);
}

// C11: a deferred end belongs to one block, not to its address.
TEST(Catalogue, C11_TwoExternalBlocksOfOneAddressEndEachOnItsOwn) {
  TestMemory test;
  int memory = 0;
  sync::Atomic<int> first{0}, second{0};
  Buffer a(test.memory().adopt(&memory, sizeof(memory), [&] { first.fetch_add(1); }));
  test.use(a);
  test.commit();
  a = {};
  EXPECT_EQ(first.load(), 0) << "a stream still uses it";
  Buffer b(test.memory().adopt(&memory, sizeof(memory), [&] { second.fetch_add(1); }));
  test.run_all();
  EXPECT_TRUE(eventually([&] { return first.load() == 1; }));
  EXPECT_EQ(second.load(), 0);
  b = {};
  EXPECT_EQ(second.load(), 1);
}

// C12: memory goes back to the device only when the streams that used it have finished, whichever they are.
TEST(Catalogue, C12_ASegmentIsGivenBackOnlyAfterEveryStreamThatUsedIt) {
  TestMemory test;
  std::vector<Lease> leases;
  for (int i = 0; i < 7; ++i) leases.push_back(test.sim().lease());
  {
    const Buffer x = test.make(8 * kMiB);
    test.use(x);
    test.commit();
  }
  leases.clear();
  EXPECT_EQ(test.memory().release_cached(), 0u) << "stream 7 has not run it yet";
  EXPECT_GE(test.pages().held(), 8 * kMiB);
  test.run_all();
  EXPECT_GE(test.memory().release_cached(), 8 * kMiB);
  EXPECT_EQ(test.pages().held(), 0u);
}

// C13: figures are read while threads change them.
TEST(Catalogue, C13_StatisticsAreReadWhileThreadsAllocateAndFree) {
  TestMemory test;
  sync::Atomic<bool> stop{false};
  std::vector<Buffer> handed(64);
  sync::Mutex mutex{Rank::kRuntime};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 3000; ++i) {
        Buffer mine = test.make(1 + (i * 37) % 5000);
        sync::MutexLock lock(mutex);
        std::swap(mine, handed[(i + static_cast<std::size_t>(t) * 16) % 64]);
      }
    });
  }
  std::thread reader([&] {
    while (!stop.load()) {
      const MemoryStatistics now = test.statistics();
      ASSERT_LE(now.live_blocks, 64u + 4);
      ASSERT_LE(now.live, now.rounded + 64 * 5000);
      ASSERT_FALSE(test.memory().report().empty());
    }
  });
  for (auto& thread : threads) thread.join();
  stop.store(true);
  reader.join();
  EXPECT_EQ(test.statistics().live_blocks, 64u);
  handed.clear();
  EXPECT_EQ(test.statistics().live_blocks, 0u);
  EXPECT_EQ(test.statistics().live, 0u);
  EXPECT_EQ(test.statistics().rounded, 0u);
}

// C14: reclaiming claims streams and looks at heaps, while their holders allocate, free, come and go. Builds with debug
// checks compare the order of the locks.
TEST(Catalogue, C14_ReclaimingWhileStreamsComeAndGo) {
  TestMemory test({.limit = 16 * kMiB});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const Lease lease = test.sim().lease();
        std::vector<Buffer> some;
        for (int n = 0; n < 4; ++n) some.push_back(test.make(static_cast<std::size_t>(1 + (t + n + i) % 9) << 16));
        if (i % 3 == t % 3) test.memory().release_cached();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(test.memory().audit());
  EXPECT_LE(test.pages().peak(), 16 * kMiB);
}

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
