#include "heddle/tensor/tensor.hpp"

#include <fmt/format.h>

#include <cstring>

#include "heddle/base/error.hpp"

namespace HEDDLE_NS {

Tensor::Tensor(Core& core, Block* block, const Shape& shape) noexcept
    : view_{shape, contiguous_strides(shape), 0}, core_(&core), block_(block) {}

Tensor::Tensor(const Tensor& other) noexcept : view_(other.view_), core_(other.core_), block_(other.block_) {
  if (block_ != nullptr) block_->references.fetch_add(1, sync::relaxed);
}

Tensor& Tensor::operator=(Tensor other) noexcept {
  std::swap(view_, other.view_);
  std::swap(core_, other.core_);
  std::swap(block_, other.block_);
  return *this;
}

void Tensor::release() noexcept {
  if (block_ == nullptr) return;
  // The last reference needs no read-modify-write: nobody else can copy it. Acquire pairs with the others' release.
  if (block_->references.load(sync::acquire) == 1 || block_->references.fetch_sub(1, sync::acq_rel) == 1) {
    block_->memory->free(block_);
  }
  block_ = nullptr;
}

bool Tensor::is_contiguous() const noexcept {
  std::int64_t expected = 1;
  for (std::size_t dim = shape().rank(); dim-- > 0;) {
    if (shape()[dim] != 1 && view_.strides[dim] != expected) return false;
    expected *= shape()[dim];
  }
  return true;
}

Tensor Tensor::allocate(Core& core, Lane& lane, const Shape& shape) {
  const auto bytes = static_cast<std::size_t>(shape.elements()) * size_of(Dtype::kFloat32);
  return {core, core.memory().allocate(lane, bytes), shape};
}

Tensor Tensor::view(const Shape& shape, const Strides& strides, std::int64_t offset_elements) const {
  Tensor result(*this);
  result.view_ = {shape, strides, view_.offset + offset_elements};
  return result;
}

Tensor Tensor::from_host(Core& core, std::span<const float> values, const Shape& shape) {
  if (values.size() != static_cast<std::size_t>(shape.elements())) {
    throw InvalidArgument(fmt::format("from_host: {} values were given for shape {}, which has {} elements",
                                      values.size(), shape.text(), shape.elements()));
  }
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor result = allocate(core, lane, shape);
  if (values.empty()) return result;
  std::byte* staged = lane.stage(values.size_bytes());
  std::memcpy(staged, values.data(), values.size_bytes());
  lane.write(result.residency());
  lane.append(KernelId::kCopyBytes, CopyBytesArgs{result.address(), staged, values.size_bytes()});
  return result;
}

std::vector<float> Tensor::to_host() const {
  if (!defined())
    throw InvalidArgument("to_host: the tensor is empty (default-constructed); assign a result to it first");
  std::vector<float> values(static_cast<std::size_t>(elements()));
  if (values.empty()) return values;
  Recording recording(core_->pool());
  Lane& lane = recording.lane();
  Tensor packed;
  const void* source = address();
  if (!is_contiguous()) {
    packed = allocate(*core_, lane, shape());
    ElementwiseArgs args{packed.address(), address(), nullptr, shape().rank(), {}};
    for (std::size_t dim = 0; dim < shape().rank(); ++dim) {
      args.dims[dim] = {shape()[dim], packed.strides()[dim], strides()[dim], 0};
    }
    lane.read(residency());
    lane.write(packed.residency());
    lane.append(KernelId::kCopy, args);
    source = packed.address();
  } else {
    lane.read(residency());
  }
  lane.append(KernelId::kCopyBytes, CopyBytesArgs{values.data(), source, values.size() * sizeof(float)});
  lane.synchronize();
  return values;
}

float Tensor::item() const {
  if (!defined() || elements() != 1) {
    throw InvalidArgument(fmt::format("item: the tensor has shape {}; it must have exactly one element",
                                      defined() ? shape().text() : std::string("none (default-constructed)")));
  }
  const StreamUse write = residency().last_write();
  if (core_->device().info().host_accessible && write.ticket.value != 0 && write.lane->completed() >= write.ticket) {
    write.lane->queue().failures().status_of(write.ticket).raise();
    float value = 0;
    std::memcpy(&value, address(), sizeof(value));
    return value;
  }
  return to_host().front();
}

}  // namespace HEDDLE_NS
