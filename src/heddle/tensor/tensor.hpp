// Tensor: a value that shares device memory with its copies: block, shape, strides, offset, dtype.
//
// Operations are asynchronous: they record a command on the calling thread's stream and return a tensor whose memory
// will hold the result in that stream's order. Tensors are immutable: no operation writes an existing tensor. Thread
// safety: as std::shared_ptr: distinct Tensor objects may be used from distinct threads even if they share memory; one
// object is not to be written by one thread while another uses it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "heddle/base/namespace.hpp"
#include "heddle/memory/buffer.hpp"
#include "heddle/tensor/core.hpp"
#include "heddle/tensor/host_copy.hpp"
#include "heddle/tensor/shape.hpp"

namespace HEDDLE_NS {

class Tensor {
 public:
  Tensor() noexcept = default;  // undefined; so is one that was moved from

  bool defined() const noexcept { return static_cast<bool>(buffer_); }
  const Shape& shape() const noexcept { return view_.shape; }
  const Strides& strides() const noexcept { return view_.strides; }
  Dtype dtype() const noexcept { return view_.dtype; }
  std::int64_t elements() const noexcept { return view_.shape.elements(); }
  // True when the elements lie in row-major order without gaps. The strides of extents below 2 do not matter.
  bool is_contiguous() const noexcept;
  Core& core() const noexcept { return *core_; }  // REQUIRES: defined()

  // --- in and out ---
  // Copies `values` (row-major) before it returns. Throws InvalidArgument when the count differs from the shape's.
  static Tensor from_host(Core& core, std::span<const float> values, const Shape& shape);
  // As from_host, without the copy: the values move with the commands and go when the device has read them.
  static Tensor from_host_async(Core& core, std::vector<float>&& values, const Shape& shape);
  // A tensor over memory of the user's that the device can reach, row-major, aligned to a float. It is used once
  // `ready` is complete (default: it is now), and must not be written meanwhile. `deleter` is called when no tensor
  // refers to it and no stream uses it any more, on the thread that dropped the last tensor or on the handler thread;
  // never when the runtime shut down while the device might still use it, nor when this call throws. It must not throw
  // itself. Throws InvalidArgument for a null or misaligned pointer or an event of another runtime, and what taking a
  // stream throws (Closed, PoolExhausted, WouldBlock).
  static Tensor from_external(Core& core, void* data, const Shape& shape, const Event& ready = {},
                              std::function<void()> deleter = {});
  // Where the first element lies on the device. Work of others on that memory must be ordered against the tensor's
  // stream: behind an event of it, or on Lease::native_handle(). Throws InvalidArgument for an undefined tensor.
  void* data() const;
  // For weights, which many streams read: waits until this tensor's memory is written, and from then on reading it
  // writes nothing that threads share. Call it before the tensor is handed to other threads. Throws the error of the
  // stream that writes it, NotCommitted, and what waiting throws; InvalidArgument for an undefined tensor.
  void make_shared_constant() const;
  // Records the copy, commits, and returns at once.
  HostCopy to_host_async() const;
  // Commits, waits, and returns the elements in row-major order, as float32 whatever their type. Throws the stream's
  // error, if any.
  std::vector<float> to_host() const;
  // The value of a tensor of one element; as to_host.
  float item() const;

  // --- for operations ---
  // Memory for a result of the operation being recorded on `lane`. Throws OutOfMemory.
  static Tensor allocate(Core& core, Lane& lane, const Shape& shape, Dtype dtype = Dtype::kFloat32);
  // The same memory under another view.
  Tensor view(const Shape& shape, const Strides& strides, std::int64_t offset_elements = 0) const;
  Residency& residency() const noexcept { return buffer_.residency(); }
  // As an operand of a command; of an undefined tensor: none.
  OperandMemory memory() const noexcept { return buffer_.operand(); }
  void* address() const noexcept { return address(0); }
  // Of the element `elements` behind the first.
  void* address(std::int64_t elements) const noexcept {
    return static_cast<std::byte*>(buffer_.data()) +
           (view_.offset + elements) * static_cast<std::int64_t>(size_of(view_.dtype));
  }

 private:
  struct View {
    Shape shape;
    Strides strides{};
    std::int64_t offset = 0;  // elements
    Dtype dtype = Dtype::kFloat32;
  };
  Tensor(Core& core, Buffer buffer, const Shape& shape, Dtype dtype) noexcept;
  // Records the copy of the elements, in row-major order and as float32, to `out` on the host, which `kept` owns;
  // `ticket` is the copy's, if it is recorded.
  void record_to_host(Lane& lane, float* out, Kept kept, Ticket* ticket) const;

  View view_;
  Core* core_ = nullptr;
  Buffer buffer_;
};

// Inline: several operations ask it each time they are recorded.
inline bool Tensor::is_contiguous() const noexcept {
  std::int64_t expected = 1;
  for (std::size_t dim = shape().rank(); dim-- > 0;) {
    const std::int64_t extent = shape()[dim];
    if (extent != 1 && strides()[dim] != expected) return elements() == 0;
    expected *= extent;
  }
  return true;
}

}  // namespace HEDDLE_NS
