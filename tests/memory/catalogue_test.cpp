// The classes of faults of the bug catalogue that an allocator like this one could have, each tried; part 2:
// catalogue_ends_test.cpp. Those that it cannot have are in docs/change/design-rules-out.md.
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
TEST(Catalogue, C10_R14_GivingBackAndAllocatingAtOnceKeepTheSums) {
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

// C30: an operation notes its use of a block and then finds no memory for its command. That is no use.
TEST(Catalogue, C30_AUseWhoseCommandWasNotRecordedHoldsNothing) {
  TestMemory test;
  Buffer x = test.make(1000);
  elsewhere([&] {
    Recording recording(test.sim().pool());
    Lane& lane = recording.lane();
    x.residency().note_use(&lane, lane.next_ticket());
  });
  x = {};
  EXPECT_EQ(test.statistics().pending, 0u) << "nothing was recorded that could end";
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
      ASSERT_LE(now.live_blocks, 4u * 3000) << "wrapped around";
      ASSERT_LE(now.live, 4u * 3000 * 5000) << "wrapped around";
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

}  // namespace
}  // namespace heddle
