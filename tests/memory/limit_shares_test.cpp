#include "heddle/memory/limit_shares.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

constexpr std::size_t kKiB = std::size_t{1} << 10, kMiB = kKiB << 10, kGiB = kMiB << 10;

TEST(LimitShares, AreWhatOneHeapGetsUnderALargeLimit) {
  const LimitShares shares{.limit = 8 * kGiB, .heaps = 1};
  EXPECT_EQ(shares.run_bytes_max(), 2 * kMiB);
  EXPECT_EQ(shares.segment_bytes(), 2 * kMiB);
  EXPECT_EQ(shares.slack(), 26 * kMiB);
}

TEST(LimitShares, ShrinkWithTheLimitAndTheNumberOfHeaps) {
  const LimitShares one{.limit = 16 * kMiB, .heaps = 1};
  EXPECT_EQ(one.run_bytes_max(), kMiB);
  EXPECT_EQ(one.segment_bytes(), 256 * kKiB);
  EXPECT_EQ(one.slack(), 2 * kMiB);
  const LimitShares many{.limit = 16 * kMiB, .heaps = 32};
  EXPECT_EQ(many.run_bytes_max(), 32 * kKiB);
  EXPECT_EQ(many.segment_bytes(), one.segment_bytes()) << "segments are the device's matter";
  EXPECT_EQ(many.slack(), 64 * kKiB);
}

TEST(LimitShares, HaveALowerBound) {
  const LimitShares shares{.limit = 10 * kKiB, .heaps = 100};
  EXPECT_EQ(shares.run_bytes_max(), 4096u);
  EXPECT_EQ(shares.segment_bytes(), 4096u);
}

TEST(LimitShares, CountNoHeapAsOne) {
  const LimitShares none{.limit = kMiB, .heaps = 0}, one{.limit = kMiB, .heaps = 1};
  EXPECT_EQ(none.run_bytes_max(), one.run_bytes_max());
  EXPECT_EQ(none.slack(), one.slack());
}

}  // namespace
}  // namespace heddle
