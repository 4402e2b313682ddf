// Checks and conversions of operands, shared by the operations. Error texts are built only when a check fails.
//
// Thread safety: functions that take a Lane are called inside the Recording that gave it.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS::ops {

[[noreturn]] void throw_undefined(const char* operation);
[[noreturn]] void throw_two_runtimes(const char* operation, const Tensor& a, const Tensor& b);
[[noreturn]] void throw_two_dtypes(const char* operation, const Tensor& a, const Tensor& b);

inline void require_defined(const char* operation, const Tensor& x) {
  if (!x.defined()) [[unlikely]]
    throw_undefined(operation);
}

inline void require_together(const char* operation, const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) [[unlikely]]
    throw_undefined(operation);
  if (&a.core() != &b.core()) [[unlikely]]
    throw_two_runtimes(operation, a, b);
  if (a.dtype() != b.dtype()) [[unlikely]]
    throw_two_dtypes(operation, a, b);
}

// Throws Unsupported where the device has no kernel of this type. Every device has those for float32.
void require_kernel(const char* operation, const Core& core, KernelId kernel, Dtype dtype);
inline void require_kernel(const char* operation, KernelId kernel, const Tensor& x) {
  if (x.dtype() != Dtype::kFloat32) [[unlikely]]
    require_kernel(operation, x.core(), kernel, x.dtype());
}

// For operations of several commands: the lane ordered after the writes of every operand; throws before anything is
// recorded. Undefined tensors are none.
template <class... Tensors>
void order_after_all(Lane& lane, const Tensors&... operands) {
  (lane.order_after(operand_of(operands)), ...);
}

// `dim` counted from the front; throws InvalidArgument when it is not a dimension of `shape`.
std::size_t resolve_axis(const char* operation, const Shape& shape, std::int64_t dim);

// The stride of `x` along dimension `dim` of a shape of `rank` dimensions that it broadcasts to.
inline std::int64_t broadcast_stride(const Tensor& x, std::size_t dim, std::size_t rank) noexcept {
  const std::size_t missing = rank - x.shape().rank();
  if (dim < missing || x.shape()[dim - missing] == 1) return 0;
  return x.strides()[dim - missing];
}

// Scratch memory for the commands that are being recorded; undefined for no bytes. The caller drops it once they are
// recorded: the stream's order protects it. Throws OutOfMemory.
Tensor scratch(Core& core, Lane& lane, std::size_t bytes);

// Records out <- value in every element. REQUIRES: `out` is float32, dense and not empty.
void record_fill(Lane& lane, const Tensor& out, float value);

}  // namespace HEDDLE_NS::ops
