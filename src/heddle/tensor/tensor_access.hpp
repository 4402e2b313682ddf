// What the library sees of a Tensor and of a Generator, beside what users do: memory, its place on the timelines,
// views.
//
// Thread safety: as Tensor; allocate_tensor() is called inside the Recording that gave the lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/generator.hpp"
#include "heddle/memory/buffer.hpp"
#include "heddle/tensor.hpp"
#include "heddle/tensor/core.hpp"

namespace HEDDLE_NS {

struct TensorAccess {
  static const Buffer& buffer(const Tensor& x) noexcept { return x.buffer_; }
  static void* address(const Tensor& x, std::int64_t elements) noexcept {
    return static_cast<std::byte*>(x.buffer_.data()) +
           (x.view_.offset + elements) * static_cast<std::int64_t>(size_of(x.view_.dtype));
  }
  static Tensor make(Core& core, Buffer buffer, const Shape& shape, Dtype dtype) noexcept {
    return {core, std::move(buffer), shape, dtype};
  }
  static void set_view(Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset) noexcept {
    x.view_ = {shape, strides, x.view_.offset + offset, x.view_.dtype};
  }
};

// Memory for a result of the operation being recorded on `lane`. Throws OutOfMemory.
Tensor allocate_tensor(Core& core, Lane& lane, const Shape& shape, Dtype dtype = Dtype::kFloat32);
// The same memory under another view, which begins `offset` elements after that of `x`.
Tensor view_of(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset = 0);

// Of tensors that are defined:
inline Residency& residency_of(const Tensor& x) noexcept { return TensorAccess::buffer(x).residency(); }
// As an operand of a command; of an undefined tensor: none.
inline OperandMemory operand_of(const Tensor& x) noexcept { return operand_of(TensorAccess::buffer(x)); }
// Of the element `elements` after the first.
inline void* address_of(const Tensor& x, std::int64_t elements = 0) noexcept {
  return TensorAccess::address(x, elements);
}

struct GeneratorAccess {
  static const std::shared_ptr<const Tensor>& memory(const Generator& generator) noexcept { return generator.state_; }
};

// Of generators that were not moved from (Generator::core() throws for one that was):
inline GeneratorState* state_of(const Generator& generator) noexcept {
  return static_cast<GeneratorState*>(address_of(*GeneratorAccess::memory(generator)));
}
inline OperandMemory operand_of(const Generator& generator) noexcept {
  return operand_of(*GeneratorAccess::memory(generator));
}

}  // namespace HEDDLE_NS
