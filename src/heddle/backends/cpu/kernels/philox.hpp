// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011), one block at a
// time, and the definition of heddle's random numbers. The vector kernels (random_simd.cpp) are checked against this
// file.
//
// Block c of subsequence s under a seed: counter words {c low, c high, s low, s high}, key {seed low, seed high}.
// It yields the words w0..w3, hence numbers 4c..4c+3 of the sequence:
//   uniform i   = (w_i >> 8) * 2^-24, in [0, 1), the same bits on every machine;
//   normals 0,1 = r(w0) * cos(2 pi v(w1)), r(w0) * sin(2 pi v(w1)), and normals 2,3 likewise from w2 and w3
//   (Box-Muller),
//                 with r(w) = sqrt(-2 ln(((w >> 8) + 1) * 2^-24)) and v(w) = w * 2^-32.
// The radius' argument is one of the 2^24 numbers k * 2^-24 in (0, 1]: never 0 (r stays below 5.77), exact in float32
// also next to 1 where the logarithm needs it, and r = 0 where it is 1. Angles use all 32 bits.
// Every normal kernel stays within 4e-6 + 1e-6 * |x| of this formula in real numbers.
#pragma once

#include <array>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"

namespace HEDDLE_NS::cpu {

inline constexpr std::uint32_t kPhiloxMultiplier0 = 0xD2511F53;
inline constexpr std::uint32_t kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr std::uint32_t kPhiloxWeyl0 = 0x9E3779B9;
inline constexpr std::uint32_t kPhiloxWeyl1 = 0xBB67AE85;
inline constexpr int kPhiloxRounds = 10;

using PhiloxWords = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

constexpr PhiloxWords philox(PhiloxWords counter, PhiloxKey key) noexcept {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kPhiloxMultiplier0} * counter[0];
    const std::uint64_t product1 = std::uint64_t{kPhiloxMultiplier1} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += kPhiloxWeyl0;
    key[1] += kPhiloxWeyl1;
  }
  return counter;
}

// The words of one block of a generator's sequence.
constexpr PhiloxWords philox_block(std::uint64_t seed, std::uint64_t subsequence, std::uint64_t block) noexcept {
  return philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                 static_cast<std::uint32_t>(subsequence), static_cast<std::uint32_t>(subsequence >> 32)},
                {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

constexpr float uniform_from_word(std::uint32_t word) noexcept { return static_cast<float>(word >> 8) * 0x1p-24F; }

// The normal numbers of the formula above in double precision, by the C library and word by word: what tests and the
// stress command compare with. Numbers are counted from block state.block + block_offset.
double reference_normal(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t index) noexcept;
void reference_normals(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count,
                       double* out) noexcept;

}  // namespace HEDDLE_NS::cpu
