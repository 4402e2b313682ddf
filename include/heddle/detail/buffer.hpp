// Internal to heddle: may change at any time. A handle of one block of device memory, shared by its copies; the block
// is given back with the last of them.
//
// Thread safety: as std::shared_ptr: distinct objects may be used by distinct threads at once.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

class DeviceMemory;
class LanePool;
class Residency;
struct Block;

class HEDDLE_API Buffer {
 public:
  Buffer() noexcept = default;  // empty
  // Takes over the reference that a fresh block has.
  explicit Buffer(Block* block) noexcept : block_(block) {}
  Buffer(const Buffer& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) share(block_);
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
  // Of a handle that is not empty; src/heddle/memory/buffer.hpp:
  inline void* data() const noexcept;
  inline Residency& residency() const noexcept;
  inline Block& block() const noexcept;

 private:
  static Buffer create_slowly(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory, std::size_t bytes);
  static void share(Block* block) noexcept;
  static void release(Block* block) noexcept;
  static void release_shared(Block* block) noexcept;

  Block* block_ = nullptr;
};

}  // namespace HEDDLE_NS
