// The elementwise functions of maps-inl.h on the host, one number at a time: maps::Relu::apply(maps::Scalars(), a, a).
//
// Thread safety: functions without state.
#pragma once

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS::maps {

// The machine: float as the compiler computes it. No build of heddle contracts or reassociates float arithmetic.
struct Scalars {
  using V = float;
  static constexpr float number(float value) noexcept { return value; }
  static constexpr bool less(float a, float b) noexcept { return a < b; }
  static constexpr float select(bool condition, float yes, float no) noexcept { return condition ? yes : no; }
  static constexpr float add(float a, float b) noexcept { return a + b; }
  static constexpr float sub(float a, float b) noexcept { return a - b; }
  static constexpr float mul(float a, float b) noexcept { return a * b; }
  static constexpr float div(float a, float b) noexcept { return a / b; }
};

#define HEDDLE_MAP_FUNCTION constexpr
#include "heddle/device/maps-inl.h"

}  // namespace HEDDLE_NS::maps
