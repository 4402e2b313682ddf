// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

enum class Dtype : std::uint8_t {
  kFloat32 = 0,
  kFloat16,   // IEEE 754 half precision: 5 bits of exponent, 10 of fraction
  kBFloat16,  // the upper half of a float32: 8 bits of exponent, 7 of fraction
};

inline constexpr std::size_t kDtypeCount = 3;

constexpr std::size_t size_of(Dtype dtype) noexcept { return dtype == Dtype::kFloat32 ? 4 : 2; }
constexpr std::string_view name_of(Dtype dtype) noexcept {
  constexpr std::string_view kNames[kDtypeCount] = {"float32", "float16", "bfloat16"};
  const auto index = static_cast<std::size_t>(dtype);
  return index < kDtypeCount ? kNames[index] : std::string_view("unknown");
}

}  // namespace HEDDLE_NS
