// DenseOperand: an operand whose kernel wants its elements without gaps.
//
// Thread safety: used inside the Recording that gave the lane.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/ops/elementwise/elementwise.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS::ops {

// An operand that its kernel wants dense: the tensor itself where its elements lie well, else memory for a dense copy.
// Construction only allocates. record() is called after every operand was allocated and checked, so that an error
// leaves nothing recorded.
class DenseOperand {
 public:
  DenseOperand(Core& core, Lane& lane, const Tensor& x) : DenseOperand(core, lane, x, x.is_contiguous()) {}
  // `lies_well`: the kernel reads `x` as it lies, dense or not.
  DenseOperand(Core& core, Lane& lane, const Tensor& x, bool lies_well)
      : source_(x), copy_(lies_well ? Tensor() : allocate_tensor(core, lane, x.shape(), x.dtype())) {}

  // What the kernel reads.
  const Tensor& tensor() const noexcept { return copy_.defined() ? copy_ : source_; }
  bool is_copy() const noexcept { return copy_.defined(); }
  // Records the copy, where one is needed.
  void record(Lane& lane) const {
    if (copy_.defined()) record_unary(lane, KernelId::kCopy, copy_, source_);
  }

 private:
  const Tensor& source_;
  Tensor copy_;
};

}  // namespace HEDDLE_NS::ops
