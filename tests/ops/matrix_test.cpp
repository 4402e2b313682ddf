// Which strides a matrix product takes as they are.
#include "heddle/ops/linear/matrix.hpp"

#include <gtest/gtest.h>

#include "heddle/heddle.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle::ops {
namespace {

void expect_layout(const MatrixLayout& layout, std::int64_t ld, bool transposed) {
  EXPECT_TRUE(layout.valid);
  EXPECT_EQ(layout.ld, ld);
  EXPECT_EQ(layout.transposed, transposed);
}

TEST(MatrixLayout, PlainAndTransposed) {
  expect_layout(matrix_layout(3, 4, 4, 1), 4, false);
  expect_layout(matrix_layout(3, 4, 9, 1), 9, false);
  expect_layout(matrix_layout(3, 4, 1, 3), 3, true);
  expect_layout(matrix_layout(3, 4, 1, 9), 9, true);
}

TEST(MatrixLayout, StridesOfShortDimensionsAreFree) {
  expect_layout(matrix_layout(1, 4, 77, 1), 4, false);
  expect_layout(matrix_layout(3, 1, 5, 77), 5, false);
  expect_layout(matrix_layout(1, 4, 77, 6), 6, true);
  expect_layout(matrix_layout(0, 0, 1, 1), 1, false);
}

TEST(MatrixLayout, OthersNeedACopy) {
  EXPECT_FALSE(matrix_layout(3, 4, 8, 2).valid);
  EXPECT_FALSE(matrix_layout(3, 4, 0, 1).valid);  // rows that overlap
  EXPECT_FALSE(matrix_layout(3, 4, 1, 2).valid);
}

TEST(MatrixOperand, CopiesOnlyWhatNeedsIt) {
  Runtime runtime;
  const Tensor x = zeros(runtime, Shape{3, 4, 5});
  const Tensor turned = transpose(x, 0, 2);
  Recording recording(runtime.core().pool());
  EXPECT_FALSE(MatrixOperand(runtime, recording.lane(), x).is_copy());
  const MatrixOperand copied(runtime, recording.lane(), turned);
  EXPECT_TRUE(copied.is_copy());
  EXPECT_EQ(copied.tensor().shape(), turned.shape());
  expect_layout(copied.layout(), 3, false);
}

}  // namespace
}  // namespace heddle::ops
