// What the elementwise operations share: broadcasting, and the loop that their kernels run.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS::ops {

// Sets rank and dims for a dense result of shape `out` from `a` and `b` (null: one input), which broadcast to it.
// Drops dimensions of extent 1 and merges neighbours, so that dense operands give one dimension, a scalar none.
// REQUIRES: `out` is not empty.
void set_loop(ElementwiseArgs& args, const Shape& out, const Tensor& a, const Tensor* b) noexcept;

// Records out <- kernel(x), of one shape; nothing for empty ones. REQUIRES: `out` is dense, and of x's type unless the
// kernel is kCast.
void record_unary(Lane& lane, KernelId kernel, const Tensor& out, const Tensor& x);

// A whole operation: check, allocate, record. `operation` names it in errors.
Tensor unary(KernelId kernel, const char* operation, const Tensor& x);
Tensor binary(KernelId kernel, const char* operation, const Tensor& a, const Tensor& b);

}  // namespace HEDDLE_NS::ops
