// When reshape shares memory and when it copies; the values are in the table of cases.
#include <gtest/gtest.h>

#include "heddle/heddle.hpp"

namespace heddle {
namespace {

TEST(Reshape, SharesMemoryWhereStridesAllow) {
  Runtime runtime;
  const Tensor x = zeros(runtime, Shape{2, 3, 4});
  EXPECT_EQ(reshape(x, {6, -1}).address(), x.address());
  const Tensor turned = transpose(x, 0, 1);  // [3, 2, 4] with strides 4, 12, 1
  EXPECT_EQ(reshape(turned, {3, 2, 2, 2}).address(), x.address());
  EXPECT_EQ(reshape(turned, {3, 1, 2, 4}).address(), x.address());
  const Tensor split = transpose(reshape(x, {2, 12}));  // [12, 2] with strides 1, 12
  EXPECT_EQ(reshape(split, {3, 4, 2}).address(), x.address());
  EXPECT_EQ(reshape(split, {3, 4, 2}).strides(), (Strides{4, 1, 12}));
}

TEST(Reshape, CopiesElse) {
  Runtime runtime;
  const Tensor x = zeros(runtime, Shape{2, 3, 4});
  const Tensor turned = transpose(x, 0, 1);
  EXPECT_NE(reshape(turned, {6, 4}).address(), x.address());
  EXPECT_NE(reshape(turned, {24}).address(), x.address());
}

}  // namespace
}  // namespace heddle
