#include "heddle/memory/size_class.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

TEST(SizeClass, IsTheSmallestThatHoldsTheBytes) {
  for (std::size_t bytes = 1; bytes < (std::size_t{1} << 21); bytes += bytes < 8192 ? 1 : 61) {
    const std::size_t index = size_class(bytes);
    ASSERT_GE(class_bytes(index), bytes);
    if (index > 0) {
      ASSERT_LT(class_bytes(index - 1), bytes);
    }
  }
}

TEST(SizeClass, WastesAtMostAnEighthAboveTwoKibibytes) {
  for (std::size_t bytes = 2049; bytes < (std::size_t{1} << 22); bytes += 509) {
    EXPECT_LE((class_bytes(size_class(bytes)) - bytes) * 8, bytes) << bytes;
  }
}

TEST(SizeClass, CoversTheLargestBlock) {
  EXPECT_EQ(size_class(kLargestBlock), kSizeClasses - 1);
  EXPECT_EQ(class_bytes(kSizeClasses - 1), kLargestBlock);
  EXPECT_EQ(size_class(0), 0u);
}

}  // namespace
}  // namespace heddle
