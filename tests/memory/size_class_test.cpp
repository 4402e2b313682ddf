#include "heddle/memory/size_class.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

TEST(SizeClass, IsTheSmallestThatHoldsTheBytes) {
  for (std::size_t bytes = 1; bytes <= kLargestSlot; bytes += bytes < 8192 ? 1 : 61) {
    const std::size_t index = size_class(bytes);
    ASSERT_GE(class_bytes(index), bytes);
    if (index > 0) {
      ASSERT_LT(class_bytes(index - 1), bytes);
    }
  }
}

TEST(SizeClass, WastesAtMostAnEighthAboveTwoKibibytes) {
  for (std::size_t bytes = 2049; bytes <= kLargestSlot; bytes += 509) {
    EXPECT_LE((class_bytes(size_class(bytes)) - bytes) * 8, bytes) << bytes;
  }
}

TEST(SizeClass, CoversTheLargestSlot) {
  EXPECT_EQ(size_class(kLargestSlot), kSizeClasses - 1);
  EXPECT_EQ(class_bytes(kSizeClasses - 1), kLargestSlot);
  EXPECT_EQ(size_class(0), 0u);
}

TEST(SizeClass, LargerBlocksWasteAtMostASixtyFourth) {
  for (std::size_t bytes = kLargestSlot + 1; bytes < (std::size_t{1} << 32); bytes += bytes / 37) {
    ASSERT_GE(span_bytes(bytes), bytes);
    ASSERT_LE((span_bytes(bytes) - bytes) * 64, bytes) << bytes;
    ASSERT_EQ(span_bytes(bytes) % kSmallestBlock, 0u);
  }
  EXPECT_EQ(span_bytes(std::size_t{64} << 20), std::size_t{64} << 20);
  EXPECT_EQ(span_bytes(kLargestBlock), kLargestBlock);
}

}  // namespace
}  // namespace heddle
