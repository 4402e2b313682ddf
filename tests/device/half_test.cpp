// float16 and bfloat16 on the host: heddle/device/half.hpp.
#include "heddle/device/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace heddle {
namespace {

TEST(Half, EveryFloat16ComesBackAsItWas) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Float16 value{static_cast<std::uint16_t>(bits)};
    const float wide = to_float(value);
    const std::uint16_t back = to_float16(wide).bits;
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(to_float(Float16{back})));
    } else {
      ASSERT_EQ(back, bits);
    }
  }
}

TEST(Half, EveryBFloat16ComesBackAsItWas) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const BFloat16 value{static_cast<std::uint16_t>(bits)};
    const float wide = to_float(value);
    const std::uint16_t back = to_bfloat16(wide).bits;
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(to_float(BFloat16{back})));
    } else {
      ASSERT_EQ(back, bits);
    }
  }
}

// Between two neighbours: the nearer one, and of two equally near the one with an even last bit.
template <class Half, class Convert>
void check_rounding(Convert convert, std::uint16_t largest) {
  for (std::uint16_t bits = 0; bits < largest; ++bits) {
    const double low = static_cast<double>(to_float(Half{bits}));
    const double high = static_cast<double>(to_float(Half{static_cast<std::uint16_t>(bits + 1)}));
    const auto middle = static_cast<float>((low + high) / 2);  // exact: halves have few bits
    const std::uint16_t even = bits % 2 == 0 ? bits : static_cast<std::uint16_t>(bits + 1);
    ASSERT_EQ(convert(middle).bits, even) << bits;
    ASSERT_EQ(convert(-middle).bits, even | 0x8000) << bits;
    ASSERT_EQ(convert(std::nextafter(middle, 0.0F)).bits, bits);
    ASSERT_EQ(convert(std::nextafter(middle, INFINITY)).bits, bits + 1);
  }
}

TEST(Half, Float16RoundsToTheNearestEven) { check_rounding<Float16>(to_float16, 0x7BFF); }

TEST(Half, BFloat16RoundsToTheNearestEven) { check_rounding<BFloat16>(to_bfloat16, 0x7F7F - 1); }

TEST(Half, WhatIsTooLargeIsInfinite) {
  EXPECT_EQ(to_float16(65519.0F).bits, 0x7BFF);
  EXPECT_EQ(to_float16(65520.0F).bits, 0x7C00);
  EXPECT_EQ(to_float16(-1e30F).bits, 0xFC00);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()).bits, 0x7F80);
  EXPECT_EQ(to_float16(0x1p-26F).bits, 0);
}

}  // namespace
}  // namespace heddle
