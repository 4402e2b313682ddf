// Sums and means over one dimension. Float within short blocks (vectors), double across blocks: fast, and the error
// stays below 1e-5 * sum |terms| whatever the size.
#include <algorithm>
#include <cstdint>

#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/backends/cpu/kernels/rows_simd.hpp"

namespace HEDDLE_NS::cpu {

namespace {

constexpr std::int64_t kColumns = 256;  // columns that are summed at the same time
constexpr std::int64_t kRows = 64;      // rows that are summed in float

// out[i] = sum over r of in[r * inner + i] / divisor, for `columns` <= kColumns columns.
void sum_columns(const float* in, std::int64_t reduced, std::int64_t inner, std::int64_t columns, double divisor,
                 float* out) noexcept {
  double totals[kColumns] = {};
  float sums[kColumns];
  for (std::int64_t first = 0; first < reduced; first += kRows) {
    const std::int64_t last = std::min(first + kRows, reduced);
    std::fill_n(sums, columns, 0.0F);
    for (std::int64_t r = first; r < last; ++r) {
      const float* row = in + r * inner;
      for (std::int64_t i = 0; i < columns; ++i) sums[i] += row[i];
    }
    for (std::int64_t i = 0; i < columns; ++i) totals[i] += static_cast<double>(sums[i]);
  }
  for (std::int64_t i = 0; i < columns; ++i) out[i] = static_cast<float>(totals[i] / divisor);
}

void reduce(const ReduceArgs& args, double divisor) noexcept {
  const auto* in = static_cast<const float*>(args.in);
  auto* out = static_cast<float*>(args.out);
  for (std::int64_t o = 0; o < args.outer; ++o) {
    if (args.inner == 1) {
      *out = static_cast<float>(simd_sum(in, static_cast<std::size_t>(args.reduced)) / divisor);
    } else {
      for (std::int64_t i = 0; i < args.inner; i += kColumns) {
        sum_columns(in + i, args.reduced, args.inner, std::min(kColumns, args.inner - i), divisor, out + i);
      }
    }
    in += args.reduced * args.inner;
    out += args.inner;
  }
}

}  // namespace

void sum(const CommandView& command, KernelContext&) { reduce(command.args<ReduceArgs>(), 1.0); }

void mean(const CommandView& command, KernelContext&) {
  const auto args = command.args<ReduceArgs>();
  reduce(args, static_cast<double>(args.reduced));  // of nothing: 0 / 0 = NaN
}

}  // namespace HEDDLE_NS::cpu
