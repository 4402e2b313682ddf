// Contiguous rows with the widest vectors that the processor has, chosen at run time. Reentrant.
#pragma once

#include <cstddef>

#include "heddle/base/namespace.hpp"
#include "heddle/device/kernel_id.hpp"

namespace HEDDLE_NS::cpu {

// out[i] = map(a[i], b[i]) for i < count, by a row of device/maps-inl.h; only a[0] (b[0]) is read where the flag is
// set. Each number is computed as plain float code does, so results are the same bits on every machine. `out` may be
// `a` or `b`. Functions of one input ignore b.
void simd_row(KernelId map, std::size_t count, const float* a, bool a_is_scalar, const float* b, bool b_is_scalar,
              float* out) noexcept;

// The sum of `count` numbers, with the same additions in the same order on every machine: 64 running float sums in each
// block of 2048 numbers, joined in halves, and blocks added in double. Error below 4e-6 * sum |in|.
double simd_sum(const float* in, std::size_t count) noexcept;

}  // namespace HEDDLE_NS::cpu
