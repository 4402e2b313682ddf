// The loops that elementwise commands carry: as few dimensions as the operands allow.
#include "heddle/ops/elementwise/elementwise.hpp"

#include <gtest/gtest.h>

#include "heddle/heddle.hpp"

namespace heddle {
namespace {

bool operator==(const LoopDim& a, const LoopDim& b) {
  return a.extent == b.extent && a.out_stride == b.out_stride && a.a_stride == b.a_stride && a.b_stride == b.b_stride;
}

class Elementwise : public testing::Test {
 protected:
  Tensor make(std::initializer_list<std::int64_t> extents) { return zeros(runtime_, Shape(extents)); }
  static ElementwiseArgs loop(const Tensor& a, const Tensor& b) {
    ElementwiseArgs args{};
    ops::set_loop(args, broadcast(a.shape(), b.shape(), "test"), a, &b);
    return args;
  }

  Runtime runtime_;
};

TEST_F(Elementwise, ScalarsHaveNoDimension) {
  EXPECT_EQ(loop(make({}), make({})).rank, 0U);
  EXPECT_EQ(loop(make({1, 1}), make({1})).rank, 0U);
}

TEST_F(Elementwise, DenseOperandsHaveOne) {
  const ElementwiseArgs args = loop(make({2, 1, 3, 4}), make({2, 1, 3, 4}));
  ASSERT_EQ(args.rank, 1U);
  EXPECT_TRUE(args.dims[0] == (LoopDim{24, 1, 1, 1}));
}

TEST_F(Elementwise, BroadcastDimensionsHaveStrideZeroAndMerge) {
  const ElementwiseArgs scalar = loop(make({2, 3, 4}), make({}));
  ASSERT_EQ(scalar.rank, 1U);
  EXPECT_TRUE(scalar.dims[0] == (LoopDim{24, 1, 1, 0}));
  const ElementwiseArgs row = loop(make({2, 3, 4}), make({4}));
  ASSERT_EQ(row.rank, 2U);
  EXPECT_TRUE(row.dims[0] == (LoopDim{6, 4, 4, 0}));
  EXPECT_TRUE(row.dims[1] == (LoopDim{4, 1, 1, 1}));
}

TEST_F(Elementwise, TransposedOperandsKeepTheirStrides) {
  const ElementwiseArgs args = loop(transpose(make({4, 3})), make({3, 4}));
  ASSERT_EQ(args.rank, 2U);
  EXPECT_TRUE(args.dims[0] == (LoopDim{3, 4, 1, 4}));
  EXPECT_TRUE(args.dims[1] == (LoopDim{4, 1, 3, 1}));
}

}  // namespace
}  // namespace heddle
