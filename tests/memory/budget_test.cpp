#include "heddle/memory/budget.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace heddle {
namespace {

TEST(Budget, ReservesUpToTheLimitAndNoFurther) {
  Budget budget(100);
  EXPECT_TRUE(budget.reserve(60));
  EXPECT_FALSE(budget.reserve(41));
  EXPECT_TRUE(budget.reserve(40));
  EXPECT_FALSE(budget.reserve(1));
  EXPECT_FALSE(budget.reserve(~std::size_t{0})) << "no overflow";
  budget.release(60);
  EXPECT_EQ(budget.reserved(), 40u);
  EXPECT_EQ(budget.peak(), 100u);
}

TEST(Budget, MarksDefaultBelowTheLimit) {
  const Budget budget(std::size_t{1} << 30);
  EXPECT_LT(budget.low(), budget.high());
  EXPECT_LT(budget.high(), budget.limit());
  const Budget given(100, 50, 20);
  EXPECT_EQ(given.high(), 50u);
  EXPECT_EQ(given.low(), 20u);
  EXPECT_EQ(Budget(100, 50).low(), 50u) << "never above high";
  EXPECT_EQ(Budget(100, 0, 98).high(), 98u) << "never below low";
}

// R09: two that look first and reserve then would pass together.
TEST(Budget, R09_ManyThreadsTogetherNeverExceedTheLimit) {
  Budget budget(1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20'000; ++i) {
        const auto bytes = static_cast<std::size_t>(100 + (i * 7 + t) % 300);
        if (!budget.reserve(bytes)) continue;
        if (i % 64 == 0) std::this_thread::yield();
        budget.release(bytes);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(budget.peak(), 1000u);
  EXPECT_EQ(budget.reserved(), 0u);
}

}  // namespace
}  // namespace heddle
