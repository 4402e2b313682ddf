#include "heddle/backends/cpu/kernels/philox.hpp"

#include <cmath>
#include <numbers>

namespace HEDDLE_NS::cpu {

namespace {

double radius(std::uint32_t word) noexcept {
  return std::sqrt(-2.0 * std::log((static_cast<double>(word >> 8) + 1.0) * 0x1p-24));
}

double angle(std::uint32_t word) noexcept { return 2.0 * std::numbers::pi * (static_cast<double>(word) * 0x1p-32); }

}  // namespace

double reference_normal(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t index) noexcept {
  const PhiloxWords words = philox_block(state.seed, state.subsequence, state.block + block_offset + index / 4);
  const std::size_t pair = index % 4 < 2 ? 0 : 2;
  const double theta = angle(words[pair + 1]);
  return radius(words[pair]) * (index % 2 == 0 ? std::cos(theta) : std::sin(theta));
}

void reference_normals(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count,
                       double* out) noexcept {
  const std::uint64_t first = state.block + block_offset;
  for (std::uint64_t at = 0; at < count; at += 4) {
    const PhiloxWords words = philox_block(state.seed, state.subsequence, first + at / 4);
    double normals[4];
    for (std::size_t pair = 0; pair < 4; pair += 2) {
      const double r = radius(words[pair]);
      const double theta = angle(words[pair + 1]);
      normals[pair] = r * std::cos(theta);
      normals[pair + 1] = r * std::sin(theta);
    }
    for (std::uint64_t i = 0; i < 4 && at + i < count; ++i) out[at + i] = normals[i];
  }
}

}  // namespace HEDDLE_NS::cpu
