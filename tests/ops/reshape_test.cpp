// When reshape shares memory and when it copies; the values are in the table of cases.
#include <gtest/gtest.h>

#include "heddle/heddle.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace heddle {
namespace {

TEST(Reshape, SharesMemoryWhereStridesAllow) {
  Runtime runtime;
  const Tensor x = zeros(runtime, Shape{2, 3, 4});
  EXPECT_EQ(address_of(reshape(x, {6, -1})), address_of(x));
  const Tensor turned = transpose(x, 0, 1);  // [3, 2, 4] with strides 4, 12, 1
  EXPECT_EQ(address_of(reshape(turned, {3, 2, 2, 2})), address_of(x));
  EXPECT_EQ(address_of(reshape(turned, {3, 1, 2, 4})), address_of(x));
  const Tensor split = transpose(reshape(x, {2, 12}));  // [12, 2] with strides 1, 12
  EXPECT_EQ(address_of(reshape(split, {3, 4, 2})), address_of(x));
  EXPECT_EQ(reshape(split, {3, 4, 2}).strides(), (Strides{4, 1, 12}));
}

TEST(Reshape, CopiesElse) {
  Runtime runtime;
  const Tensor x = zeros(runtime, Shape{2, 3, 4});
  const Tensor turned = transpose(x, 0, 1);
  EXPECT_NE(address_of(reshape(turned, {6, 4})), address_of(x));
  EXPECT_NE(address_of(reshape(turned, {24})), address_of(x));
}

}  // namespace
}  // namespace heddle
