// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "heddle/base/namespace.hpp"

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

// A set of element types.
class DtypeSet {
 public:
  constexpr DtypeSet() noexcept = default;
  constexpr DtypeSet(std::initializer_list<Dtype> dtypes) noexcept {
    for (const Dtype dtype : dtypes) bits_ |= bit(dtype);
  }
  // False for what is no type, as a damaged list may ask for.
  constexpr bool contains(Dtype dtype) const noexcept { return (bits_ & bit(dtype)) != 0; }

 private:
  static constexpr std::uint32_t bit(Dtype dtype) noexcept {
    const auto index = static_cast<std::size_t>(dtype);
    return index < kDtypeCount ? std::uint32_t{1} << index : 0;
  }
  std::uint32_t bits_ = 0;
};

inline constexpr DtypeSet kOnlyFloat32{Dtype::kFloat32};
inline constexpr DtypeSet kAllFloats{Dtype::kFloat32, Dtype::kFloat16, Dtype::kBFloat16};

}  // namespace HEDDLE_NS
