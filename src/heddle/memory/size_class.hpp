// Sizes of blocks. Up to 1 MiB: classes, eight per doubling from 256 bytes, so rounding wastes at most one eighth
// (above 2 KiB). Beyond: spans of their own, 64 steps per doubling.
#pragma once

#include <bit>
#include <cstddef>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

inline constexpr std::size_t kSmallestBlock = 256;
inline constexpr std::size_t kLargestSlot = std::size_t{1} << 20;
inline constexpr std::size_t kLargestBlock = std::size_t{1} << 46;
// Classes 0..7 are 256, 512, ... 2048; from there eight steps per doubling.
inline constexpr std::size_t kSizeClasses = 8 + 8 * (20 - 11);

// The smallest class that holds `bytes` (0 counts as 1; at most kLargestSlot).
constexpr std::size_t size_class(std::size_t bytes) noexcept {
  if (bytes <= 8 * kSmallestBlock) return bytes == 0 ? 0 : (bytes - 1) / kSmallestBlock;
  const std::size_t doubling = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;  // 2^doubling <= bytes - 1
  const std::size_t step = ((bytes - 1) >> (doubling - 3)) & 7;
  return 8 + (doubling - 11) * 8 + step;
}

constexpr std::size_t class_bytes(std::size_t index) noexcept {
  if (index < 8) return (index + 1) * kSmallestBlock;
  const std::size_t doubling = 11 + (index - 8) / 8;
  return (std::size_t{1} << doubling) + (((index - 8) % 8) + 1) * (std::size_t{1} << (doubling - 3));
}

// What a block of more than kLargestSlot bytes occupies.
constexpr std::size_t span_bytes(std::size_t bytes) noexcept {
  const std::size_t step = std::bit_floor(bytes - 1) / 64;
  return (bytes + step - 1) & ~(step - 1);
}

// What a block of `bytes` occupies.
constexpr std::size_t rounded_bytes(std::size_t bytes) noexcept {
  return bytes <= kLargestSlot ? class_bytes(size_class(bytes)) : span_bytes(bytes);
}

}  // namespace HEDDLE_NS
