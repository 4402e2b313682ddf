// OperandMemory: the memory that an address of a command lies in, as recording needs it: where the command has to wait,
// and where its use is noted.
//
// Thread safety: a value; what it refers to is the block's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/operands.hpp"
#include "heddle/stream/residency.hpp"

namespace HEDDLE_NS {

class OperandMemory {
 public:
  // Memory that is not on any stream's timeline: the host's, scratch memory, or none.
  OperandMemory() noexcept = default;
  // `begin` and `bytes`: the block's. Only builds with HEDDLE_DEBUG_CHECKS keep them, and abort where a command reaches
  // beyond.
  OperandMemory(Residency& residency, [[maybe_unused]] const void* begin, [[maybe_unused]] std::size_t bytes) noexcept
      : residency_(&residency) {
#if HEDDLE_DEBUG_CHECKS
    begin_ = reinterpret_cast<std::uintptr_t>(begin);
    bytes_ = bytes;
#endif
  }

  explicit operator bool() const noexcept { return residency_ != nullptr; }
  Residency& residency() const noexcept { return *residency_; }
#if HEDDLE_DEBUG_CHECKS
  bool contains(const Operand& operand) const noexcept {
    const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(operand.address) - begin_;
    return operand.reach.first + static_cast<std::int64_t>(at) >= 0 &&
           operand.reach.last + static_cast<std::int64_t>(at) <= static_cast<std::int64_t>(bytes_);
  }
#endif

 private:
  Residency* residency_ = nullptr;
#if HEDDLE_DEBUG_CHECKS
  std::uintptr_t begin_ = 0;
  std::size_t bytes_ = 0;
#endif
};

}  // namespace HEDDLE_NS
