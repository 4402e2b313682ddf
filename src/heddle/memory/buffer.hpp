// Buffer with the block that it refers to: what the library sees of detail/buffer.hpp.
//
// Thread safety: as std::shared_ptr: distinct objects may be used by distinct threads at once.
#pragma once

#include "heddle/detail/buffer.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/stream/operand_memory.hpp"

namespace HEDDLE_NS {

inline void* Buffer::data() const noexcept { return block_->data; }
inline Residency& Buffer::residency() const noexcept { return block_->residency; }
inline Block& Buffer::block() const noexcept { return *block_; }

// As an operand of a command; of an empty handle: none.
inline OperandMemory operand_of(const Buffer& buffer) noexcept {
  if (!buffer) return {};
#if HEDDLE_DEBUG_CHECKS
  return {buffer.residency(), buffer.data(), buffer.block().requested()};
#else
  return {buffer.residency(), nullptr, 0};
#endif
}

}  // namespace HEDDLE_NS
