#include "heddle/sync/mutex.hpp"

#include <gtest/gtest.h>

#include "heddle/sync/thread.hpp"

namespace heddle {
namespace {

TEST(Mutex, ExcludesOthers) {
  sync::Mutex mutex(Rank::kLeaf);
  long count = 0;
  {
    std::vector<sync::Thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back("test", [&] {
        for (int i = 0; i < 10000; ++i) {
          sync::MutexLock lock(mutex);
          ++count;
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(count, 40000);
}

TEST(ConditionVariable, WaitUntilReportsThePassedDeadline) {
  sync::Mutex mutex(Rank::kLeaf);
  sync::ConditionVariable never;
  sync::MutexLock lock(mutex);
  const sync::Deadline deadline = sync::Deadline::after(std::chrono::milliseconds(5));
  while (never.wait_until(mutex, deadline)) {
  }
  EXPECT_TRUE(deadline.passed());
}

#if HEDDLE_DEBUG_CHECKS
TEST(LockOrderDeathTest, ALowerRankAfterAHigherAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  sync::Mutex low(Rank::kLanePool);
  sync::Mutex high(Rank::kAllocator);
  EXPECT_DEATH(
      {
        sync::MutexLock first(high);
        sync::MutexLock second(low);
      },
      "lock order: rank 30 wanted while rank 40 is held");
}

TEST(LockOrderDeathTest, EqualRanksDoNotNest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  sync::Mutex a(Rank::kAllocator);
  sync::Mutex b(Rank::kAllocator);
  EXPECT_DEATH(
      {
        sync::MutexLock first(a);
        sync::MutexLock second(b);
      },
      "lock order");
}

TEST(LockOrderDeathTest, ADoorWithALockHeldAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  sync::Mutex mutex(Rank::kLeaf);
  EXPECT_DEATH(
      {
        sync::MutexLock lock(mutex);
        sync::assert_no_locks_held("a user's callable");
      },
      "a user's callable");
}
#endif

TEST(Deadline, TheLongestDurationOfAnyUnitIsNeverAndANegativeOneIsNow) {
  EXPECT_TRUE(sync::Deadline::after(std::chrono::nanoseconds::max()).is_never());
  EXPECT_TRUE(sync::Deadline::after(std::chrono::milliseconds::max()).is_never());
  EXPECT_TRUE(sync::Deadline::after(std::chrono::hours::max()).is_never());
  EXPECT_FALSE(sync::Deadline::after(std::chrono::hours(24)).is_never());
  EXPECT_FALSE(sync::Deadline::after(std::chrono::hours(24)).passed());
  EXPECT_TRUE(sync::Deadline::after(std::chrono::nanoseconds::min()).passed());
  EXPECT_TRUE(sync::Deadline::after(std::chrono::hours::min()).passed());
}

}  // namespace
}  // namespace heddle
