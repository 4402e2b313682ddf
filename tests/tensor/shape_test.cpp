#include "heddle/shape.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "heddle/error.hpp"

namespace heddle {
namespace {

std::string text_of_broadcast(const Shape& a, const Shape& b) {
  try {
    return broadcast(a, b, "add").text();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape().elements(), 1);
  EXPECT_EQ(Shape().rank(), 0U);
  EXPECT_EQ((Shape{0}).elements(), 0);
  EXPECT_EQ((Shape{2, 3, 4}).elements(), 24);
  EXPECT_EQ((Shape{2, 0, 4}).elements(), 0);
  const std::vector<std::int64_t> extents{5, 6};
  EXPECT_EQ(Shape(extents), (Shape{5, 6}));
}

TEST(Shape, ComparesRankAndExtents) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_FALSE((Shape{2, 3}) == (Shape{3, 2}));
  EXPECT_FALSE((Shape{2}) == (Shape{2, 1}));
  EXPECT_FALSE((Shape{0}) == Shape());
}

TEST(Shape, Text) {
  EXPECT_EQ(Shape().text(), "[]");
  EXPECT_EQ((Shape{2, 3}).text(), "[2, 3]");
}

TEST(Shape, RefusesWhatIsOutOfBounds) {
  EXPECT_THROW((Shape{-1}), InvalidArgument);
  EXPECT_THROW((Shape{1, 1, 1, 1, 1, 1, 1}), InvalidArgument);
  const std::int64_t k = std::int64_t{1} << 24;
  EXPECT_EQ((Shape{k, k - 1}).elements(), k * (k - 1));
  EXPECT_THROW((Shape{k, k}), InvalidArgument);
  EXPECT_EQ((Shape{k * k - 1}).elements(), k * k - 1);
  EXPECT_THROW((Shape{k * k}), InvalidArgument);
  EXPECT_THROW((Shape{k * k - 1, k * k - 1, k * k - 1, k * k - 1}), InvalidArgument);
  EXPECT_THROW((Shape{INT64_MAX, INT64_MAX, 2, 2}), InvalidArgument);
  // Also where the shape is empty: its strides must not overflow.
  EXPECT_THROW((Shape{0, INT64_MAX, INT64_MAX}), InvalidArgument);
}

TEST(Shape, ContiguousStrides) {
  EXPECT_EQ(contiguous_strides(Shape()), Strides{});
  EXPECT_EQ(contiguous_strides(Shape{2, 3, 4}), (Strides{12, 4, 1}));
  EXPECT_EQ(contiguous_strides(Shape{2, 0, 4}), (Strides{4, 4, 1}));
}

TEST(Shape, Broadcasts) {
  EXPECT_EQ(text_of_broadcast(Shape{2, 3}, Shape{2, 3}), "[2, 3]");
  EXPECT_EQ(text_of_broadcast(Shape{2, 3}, Shape{}), "[2, 3]");
  EXPECT_EQ(text_of_broadcast(Shape{3}, Shape{2, 1}), "[2, 3]");
  EXPECT_EQ(text_of_broadcast(Shape{2, 1, 4}, Shape{5, 1}), "[2, 5, 4]");
  EXPECT_EQ(text_of_broadcast(Shape{1}, Shape{0}), "[0]");
  EXPECT_EQ(text_of_broadcast(Shape{4, 0}, Shape{1, 1}), "[4, 0]");
}

TEST(Shape, BroadcastErrorNamesTheOperationAndBothShapes) {
  for (const std::string& text :
       {text_of_broadcast(Shape{2, 3}, Shape{2, 4}), text_of_broadcast(Shape{2, 3}, Shape{4, 2, 4})}) {
    EXPECT_NE(text.find("add"), std::string::npos) << text;
    EXPECT_NE(text.find("[2, 3]"), std::string::npos) << text;
    EXPECT_NE(text.find("2, 4]"), std::string::npos) << text;
  }
  EXPECT_NE(text_of_broadcast(Shape{2}, Shape{0}).find("[0]"), std::string::npos);
}

}  // namespace
}  // namespace heddle
