// Tensor: a value that shares device memory with its copies: block, shape, strides, offset, dtype.
//
// Operations are asynchronous: they record a command on the calling thread's stream and return a tensor whose memory
// will hold the result in that stream's order. Tensors are immutable: no operation writes an existing tensor. Thread
// safety: as std::shared_ptr: distinct Tensor objects may be used from distinct threads even if they share memory; one
// object is not to be written by one thread while another uses it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "heddle/detail/buffer.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/dtype.hpp"
#include "heddle/event.hpp"
#include "heddle/shape.hpp"

namespace HEDDLE_NS {

class Core;

// Values on their way to the host; what Tensor::to_host_async() returns. A value; const members from any thread.
class HostCopy {
 public:
  // Complete once the values are there.
  const Event& event() const noexcept { return event_; }
  bool ready() const { return event_.query(); }
  // The elements in row-major order; waits for them. Throws the stream's error; WouldBlock inside a handler when they
  // are not there yet. Valid while this object or a copy of it lives. None in an object that was moved from.
  std::span<const float> values() const {
    event_.wait();
    return {buffer_.get(), buffer_ != nullptr ? count_ : 0};
  }

 private:
  friend class Tensor;
  HostCopy(Event event, std::shared_ptr<const float> buffer, std::size_t count) noexcept
      : event_(std::move(event)), buffer_(std::move(buffer)), count_(count) {}

  Event event_;
  std::shared_ptr<const float> buffer_;
  std::size_t count_;
};

class HEDDLE_API Tensor {
 public:
  Tensor() noexcept = default;  // undefined; so is one that was moved from

  bool defined() const noexcept { return static_cast<bool>(buffer_); }
  const Shape& shape() const noexcept { return view_.shape; }
  const Strides& strides() const noexcept { return view_.strides; }
  Dtype dtype() const noexcept { return view_.dtype; }
  std::int64_t elements() const noexcept { return view_.shape.elements(); }
  // True when the elements lie in row-major order without gaps. The strides of extents below 2 do not matter.
  bool is_contiguous() const noexcept;
  // Its runtime, as operations take it. REQUIRES: defined().
  Core& core() const noexcept { return *core_; }

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
  // Memory of the calling thread's stream, with undefined contents: for code that fills it itself, through data().
  static Tensor empty(Core& core, const Shape& shape, Dtype dtype = Dtype::kFloat32);
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

 private:
  friend struct TensorAccess;
  struct View {
    Shape shape;
    Strides strides{};
    std::int64_t offset = 0;  // elements
    Dtype dtype = Dtype::kFloat32;
  };
  Tensor(Core& core, Buffer buffer, const Shape& shape, Dtype dtype) noexcept;

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
