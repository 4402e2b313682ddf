// What matmul and linear share: matrices within tensors.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/ops/elementwise/dense_operand.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS::ops {

// How a kernel finds a matrix: rows of `ld` elements, of the matrix itself or of its transpose.
struct MatrixLayout {
  std::int64_t ld = 1;
  bool transposed = false;
  bool valid = false;  // false: the strides fit neither; the kernel needs a copy
};

inline MatrixLayout matrix_layout(std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
                                  std::int64_t col_stride) noexcept {
  // A stride is free where its extent is at most 1, and ld then anything that holds a row.
  if ((col_stride == 1 || cols <= 1) && (rows <= 1 || row_stride >= cols)) {
    const std::int64_t ld = rows <= 1 ? cols : row_stride;
    return {ld < 1 ? 1 : ld, false, true};
  }
  if ((row_stride == 1 || rows <= 1) && (cols <= 1 || col_stride >= rows)) {
    const std::int64_t ld = cols <= 1 ? rows : col_stride;
    return {ld < 1 ? 1 : ld, true, true};
  }
  return {};
}

// The last two dimensions of `x`. REQUIRES: rank 2 at least.
inline MatrixLayout matrix_layout(const Tensor& x) noexcept {
  const std::size_t row = x.shape().rank() - 2;
  return matrix_layout(x.shape()[row], x.shape()[row + 1], x.strides()[row], x.strides()[row + 1]);
}

// Matrices as a kernel can read them: a DenseOperand and how its matrices lie.
class MatrixOperand {
 public:
  MatrixOperand(Core& core, Lane& lane, const Tensor& x)
      : layout_(matrix_layout(x)), operand_(core, lane, x, layout_.valid) {
    if (!layout_.valid) [[unlikely]]
      layout_ = matrix_layout(operand_.tensor());
  }

  const Tensor& tensor() const noexcept { return operand_.tensor(); }
  const MatrixLayout& layout() const noexcept { return layout_; }
  bool is_copy() const noexcept { return operand_.is_copy(); }
  void record(Lane& lane) const { operand_.record(lane); }

 private:
  MatrixLayout layout_;
  DenseOperand operand_;
};

}  // namespace HEDDLE_NS::ops
