// float16 and bfloat16 on the host: conversions as the hardware does them (to the nearest, ties to even).
//
// Thread safety: free functions without state.
#pragma once

#include <bit>
#include <cstdint>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

// Two element types whose bits differ in meaning, so that templates can tell them apart.
struct Float16 {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

constexpr float to_float(float value) noexcept { return value; }

constexpr float to_float(BFloat16 value) noexcept { return std::bit_cast<float>(std::uint32_t{value.bits} << 16); }

constexpr float to_float(Float16 value) noexcept {
  const std::uint32_t sign = (value.bits & 0x8000U) << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1FU;
  const std::uint32_t fraction = value.bits & 0x3FFU;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24F;  // subnormal or zero: exact in float32
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

constexpr BFloat16 to_bfloat16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return {static_cast<std::uint16_t>(bits >> 16 | 0x40U)};  // a NaN stays one
  return {static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16)};
}

constexpr Float16 to_float16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return {static_cast<std::uint16_t>(sign | 0x7E00U)};
  if (magnitude >= 0x477FF000U) return {static_cast<std::uint16_t>(sign | 0x7C00U)};  // rounds to 65536 or more
  if (magnitude < 0x38800000U) {  // below 2^-14: adding 0.5 leaves the subnormal's fraction, rounded, in the low bits
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return {static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U))};
  }
  const std::uint32_t rounded = magnitude + 0xFFFU + (magnitude >> 13 & 1U);
  return {static_cast<std::uint16_t>(sign | (rounded - (112U << 23)) >> 13)};
}

template <class T>
constexpr T from_float(float value) noexcept;
template <>
constexpr float from_float<float>(float value) noexcept {
  return value;
}
template <>
constexpr Float16 from_float<Float16>(float value) noexcept {
  return to_float16(value);
}
template <>
constexpr BFloat16 from_float<BFloat16>(float value) noexcept {
  return to_bfloat16(value);
}

}  // namespace HEDDLE_NS
