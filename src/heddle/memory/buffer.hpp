// Buffer: a handle of one block, shared by its copies; the block is given back with the last of them.
//
// Thread safety: as std::shared_ptr: distinct objects may be used by distinct threads at once.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "heddle/base/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/stream/operand_memory.hpp"

namespace HEDDLE_NS {

class Buffer {
 public:
  Buffer() noexcept = default;  // empty
  // Takes over the reference that a fresh block has.
  explicit Buffer(Block* block) noexcept : block_(block) {}
  Buffer(const Buffer& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, sync::relaxed);
  }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer() {
    if (block_ != nullptr) release(block_);
  }

  // At least `bytes` on the calling thread's stream, in whose order it may be used. Throws OutOfMemory, and what
  // Recording throws.
  static Buffer create(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory, std::size_t bytes);

  explicit operator bool() const noexcept { return block_ != nullptr; }
  // Of a handle that is not empty:
  void* data() const noexcept { return block_->data; }
  Residency& residency() const noexcept { return block_->residency; }
  Block& block() const noexcept { return *block_; }
  // As an operand of a command; of an empty handle: none.
  OperandMemory operand() const noexcept {
    if (block_ == nullptr) return {};
#if HEDDLE_DEBUG_CHECKS
    return {block_->residency, block_->data, block_->requested()};
#else
    return {block_->residency, nullptr, 0};
#endif
  }

 private:
  static Buffer create_slowly(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory, std::size_t bytes);
  static void release(Block* block) noexcept;
  static void release_shared(Block* block) noexcept;

  Block* block_ = nullptr;
};

}  // namespace HEDDLE_NS
