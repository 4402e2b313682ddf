// Random numbers with the widest vectors that the processor has (AVX-512, AVX2, SSE4, or one lane), chosen at run time.
// Numbers are defined in philox.hpp. Reentrant.
#pragma once

#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"

namespace HEDDLE_NS::cpu {

void simd_normals(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) noexcept;
void simd_uniforms(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) noexcept;

}  // namespace HEDDLE_NS::cpu
