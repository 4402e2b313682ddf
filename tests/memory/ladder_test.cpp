// What an allocation does when nothing is free.
#include "heddle/memory/ladder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

#include "heddle/memory/reclaim.hpp"
#include "heddle/memory/single_flight.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(Ladder, OwnEmptyRunsServeOtherSizes) {
  TestMemory test({.limit = 4 * kMiB});
  const DeviceRunner runner(test.sim().device());
  for (const std::size_t bytes :
       {std::size_t{900} << 10, std::size_t{600} << 10, std::size_t{3} << 20, std::size_t{700} << 10}) {
    EXPECT_NO_THROW(test.make(bytes)) << bytes;
    test.work();
  }
  EXPECT_LE(test.pages().peak(), 4 * kMiB);
}

// One block of every size class after the other: runs of classes that are not used any more become others.
TEST(Ladder, AStreamKeepsNoRunsForEverySizeItEverUsed) {
  TestMemory test({.limit = std::size_t{8} << 30});
  for (int round = 0; round < 40; ++round) {
    for (std::size_t many = 1; many <= 8; many *= 2) {
      for (std::size_t index = size_class(64 << 10); index < kSizeClasses; ++index) {
        std::vector<Buffer> blocks;
        for (std::size_t i = 0; i < many; ++i) blocks.push_back(test.make(class_bytes(index)));
      }
      test.work();
      test.commit();
      test.run_all();
    }
  }
  EXPECT_LE(test.pages().held(), (26 + 3 * 8 + 8) * kMiB) << "what is kept, thrice what is live, and some segments";
}

// ... and what is more than a stream may own is another's, as whole segments.
TEST(Ladder, WhatAStreamDoesNotNeedAnyMoreServesAnother) {
  TestMemory test({.limit = std::size_t{8} << 30});
  std::latch freed(1), end(1);
  std::thread busy([&] {
    std::vector<Buffer> blocks;
    for (int i = 0; i < 200; ++i) blocks.push_back(test.make(kMiB));
    blocks.clear();
    for (int list = 0; list < 1200; ++list) {
      test.make(1000);
      test.work();
      test.commit();
      test.run_all();
    }
    for (int i = 0; i < 4; ++i) blocks.push_back(test.make(700 << 10));  // more than what is left of a segment
    Recording inside(test.sim().pool());                                 // its heap is out of reach
    freed.count_down();
    end.wait();
  });
  freed.wait();
  const std::size_t held = test.pages().held();
  std::vector<Buffer> mine;
  for (int i = 0; i < 150; ++i) mine.push_back(test.make(kMiB));
  EXPECT_EQ(test.pages().held(), held) << "nothing new was taken from the device";
  end.count_down();
  busy.join();
}

TEST(Ladder, MemoryOfAnIdleStreamServesAnother) {
  TestMemory test({.limit = 4 * kMiB});
  std::latch freed(1), end(1);
  std::thread idle([&] {
    test.make(3 * kMiB);
    freed.count_down();
    end.wait();  // keeps its stream
  });
  freed.wait();
  EXPECT_NO_THROW(test.make(3 * kMiB));
  end.count_down();
  idle.join();
}

TEST(Ladder, SegmentsThatAreTooSmallGoBackForOneThatFits) {
  FakePages apart(4096);  // else they would join, and fit
  TestMemory test({.limit = 8 * kMiB}, &apart);
  std::vector<Buffer> small;
  for (int i = 0; i < 60; ++i) small.push_back(test.make(128 << 10));
  small.clear();
  EXPECT_NO_THROW(test.make(7 * kMiB));
  EXPECT_LE(apart.peak(), 8 * kMiB);
  EXPECT_GE(test.memory().statistics().segments_released, 4u);
}

TEST(Ladder, AWaitOnTheDeviceServesWhatAnotherStreamHasNotFinished) {
  TestMemory test({.limit = 4 * kMiB});
  elsewhere([&] {
    const Buffer x = test.make(3 * kMiB);
    test.use(x);
    test.commit();
  });
  Buffer mine;
  EXPECT_NO_THROW(mine = test.make(3 * kMiB)) << "nothing has run; it is ordered on the device";
  test.use(mine);
  test.commit();
  EXPECT_EQ(mine.residency().home()->completed().value, 0u);
  test.run_all();
}

TEST(Ladder, TheReportNamesAStreamThatHasNotCommittedWhatUsedMemory) {
  TestMemory test({.limit = 4 * kMiB});
  const auto refusal = [&](std::size_t bytes) -> std::string {
    const sync::NoWaiting inside("a test");  // nothing that could be waited for
    try {
      test.make(bytes);
    } catch (const OutOfMemory& error) {
      return error.what();
    }
    return "none";
  };
  std::latch freed(1), end(1);
  std::thread idle([&] {
    test.use(test.make(3 * kMiB));
    freed.count_down();
    end.wait();
    test.commit();
  });
  freed.wait();
  const std::string named =
      fmt::format("{} wait for commands that are not committed, as of stream 1, thread", 3 * kMiB);
  EXPECT_NE(refusal(3 * kMiB).find(named), std::string::npos) << refusal(3 * kMiB);
  end.count_down();
  idle.join();
  const std::string after = refusal(3 * kMiB);
  EXPECT_EQ(after.find("not committed"), std::string::npos) << after;
  test.run_all();
  EXPECT_NO_THROW(test.make(3 * kMiB));
}

// C06: a stream that took memory behind a wait, and gave it back without having recorded anything, passes on the wait.
TEST(Ladder, C06_MemoryTakenBehindAWaitIsNobodyElsesBeforeThatHasPassed) {
  TestMemory test({.limit = 4 * kMiB});
  elsewhere([&] {
    const Buffer x = test.make(3 * kMiB);
    test.use(x);
    test.commit();
  });
  test.make(3 * kMiB);  // dropped at once
  EXPECT_EQ(test.memory().release_cached(), 0u) << "the device still uses it";
  test.commit();
  EXPECT_EQ(test.memory().release_cached(), 0u) << "the device still uses it";
  test.run_all();
  EXPECT_GE(test.memory().release_cached(), 3 * kMiB);
}

// A wait that is there for the memory alone: what fails on the stream that used it before is not this one's error.
TEST(Ladder, C35_MemoryTakenBehindAWaitBringsNoErrorOfTheStreamThatUsedIt) {
  TestMemory test({.limit = 4 * kMiB});
  elsewhere([&] {
    const Buffer x = test.make(3 * kMiB);
    test.use(x);
    Recording recording(test.sim().pool());
    test.sim().device().fail_execution(recording.lane().id(), recording.lane().issued(),
                                       {ErrorKind::kDeviceError, "scripted"});
    recording.lane().commit();
  });
  const Buffer mine = test.make(3 * kMiB);
  test.use(mine);
  test.commit();
  test.run_all();
  EXPECT_NO_THROW(test.sim().synchronize());
}

TEST(Ladder, WhereWaitingIsForbiddenItFailsAtOnce) {
  TestMemory test({.limit = 4 * kMiB});
  elsewhere([&] {
    const Buffer x = test.make(3 * kMiB);
    test.use(x);
    test.commit();
  });
  const sync::NoWaiting no_waiting("this test");
  const std::string text = text_of<OutOfMemory>([&] { test.make(3 * kMiB); });
  EXPECT_TRUE(contains(text, "3145728 bytes were asked for")) << text;
  EXPECT_TRUE(contains(text, "limit 4194304")) << text;
  EXPECT_TRUE(contains(text, "tried: own memory")) << text;
  Recording recording(test.sim().pool());
  EXPECT_EQ(test.memory().try_allocate(recording.lane(), 3 * kMiB), nullptr);
  EXPECT_EQ(test.statistics().out_of_memory, 2u);
  test.run_all();
}

TEST(Ladder, TheReportNamesWhoHoldsMost) {
  TestMemory test({.limit = 8 * kMiB});
  const Buffer mine = test.make(kMiB);
  Buffer theirs;
  std::uint32_t stream = 0;
  elsewhere([&] {
    theirs = test.make(5 * kMiB);
    stream = theirs.residency().home()->id().value;
  });
  const std::string text = text_of<OutOfMemory>([&] { test.make(4 * kMiB); });
  EXPECT_TRUE(contains(text, fmt::format("most: stream {} holds 5242880", stream))) << text;
}

TEST(Ladder, WhatIsImpossibleFailsWithoutWaiting) {
  TestMemory test({.limit = 4 * kMiB});
  const Buffer kept = test.make(2 * kMiB);
  const sync::TimePoint start = sync::now();
  EXPECT_THROW(test.make(3 * kMiB), OutOfMemory);
  EXPECT_LT(sync::now() - start, std::chrono::milliseconds(1500)) << "live memory leaves no room, whatever completes";
  EXPECT_THROW(test.make(~std::size_t{0} / 2), OutOfMemory);
  EXPECT_THROW(test.make(5 * kMiB), OutOfMemory);
}

// Above `high`, what nobody holds goes back to the device, down to `low`; what streams hold stays theirs.
TEST(Ladder, AboveTheHighMarkIdleMemoryIsGivenBack) {
  TestMemory test({.limit = 64 * kMiB, .high = 32 * kMiB, .low = 16 * kMiB});
  elsewhere([&] {
    std::vector<Buffer> some;
    for (int i = 0; i < 6; ++i) some.push_back(test.make(4 * kMiB));
  });
  EXPECT_GE(test.pages().held(), 24 * kMiB) << "a stream that ended keeps its memory below the mark";
  std::vector<Buffer> some;
  for (int i = 0; i < 3; ++i) some.push_back(test.make(4 * kMiB));
  EXPECT_LE(test.pages().held(), 32 * kMiB);
  EXPECT_GT(test.statistics().segments_released, 0u);
}

TEST(SingleFlight, OneFliesAndTheOthersWaitForIt) {
  SingleFlight flight;
  sync::Atomic<int> flying{0}, flights{0}, most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (!flight.board()) continue;
        if (flying.fetch_add(1) != 0) most.store(2);
        flights.fetch_add(1);
        flying.fetch_sub(1);
        flight.land();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most.load(), 0);
  EXPECT_GT(flights.load(), 0);
}

// C22: everybody who waits is woken when the flight lands, however often one follows another.
TEST(SingleFlight, C22_NobodySleepsThroughALanding) {
  SingleFlight flight;
  for (int round = 0; round < 200; ++round) {
    ASSERT_TRUE(flight.board());
    std::vector<std::thread> waiting;
    for (int t = 0; t < 3; ++t) {
      waiting.emplace_back([&] {
        if (flight.board()) flight.land();
      });
    }
    EXPECT_FALSE(flight.try_board());
    flight.land();
    for (auto& thread : waiting) thread.join();
  }
  EXPECT_TRUE(flight.try_board());
  flight.land();
}

}  // namespace
}  // namespace heddle
