// The matrix product in plain C++: what runs where oneDNN is absent, refuses a call, or is not wanted.
#include <algorithm>
#include <cstdint>

#include "heddle/backends/cpu/kernels/kernels.hpp"

namespace HEDDLE_NS::cpu {

namespace {

constexpr std::int64_t kTileK = 64;
constexpr std::int64_t kTileN = 128;  // a tile of op(b) takes 32 KiB of stack and stays in the first-level cache

// tile[k][n] = op(b)[first_k + k][first_n + n]
void pack(const MatmulArgs& args, const float* b, std::int64_t first_k, std::int64_t rows, std::int64_t first_n,
          std::int64_t columns, float* tile) noexcept {
  for (std::int64_t k = 0; k < rows; ++k) {
    float* to = tile + k * kTileN;
    if (args.transpose_b == 0) {
      std::copy_n(b + (first_k + k) * args.ldb + first_n, columns, to);
    } else {
      for (std::int64_t n = 0; n < columns; ++n) to[n] = b[(first_n + n) * args.ldb + first_k + k];
    }
  }
}

// out row += a's row (elements `step` apart) times the tile, four rows of the tile at a time to save loads of `out`.
void multiply_row(const float* a, std::int64_t step, const float* tile, std::int64_t rows, std::int64_t columns,
                  float* __restrict__ out) noexcept {
  std::int64_t k = 0;
  for (; k + 4 <= rows; k += 4) {
    const float a0 = a[k * step], a1 = a[(k + 1) * step], a2 = a[(k + 2) * step], a3 = a[(k + 3) * step];
    const float* b = tile + k * kTileN;
    for (std::int64_t n = 0; n < columns; ++n) {
      out[n] += (a0 * b[n] + a1 * b[n + kTileN]) + (a2 * b[n + 2 * kTileN] + a3 * b[n + 3 * kTileN]);
    }
  }
  for (; k < rows; ++k) {
    const float a0 = a[k * step];
    const float* b = tile + k * kTileN;
    for (std::int64_t n = 0; n < columns; ++n) out[n] += a0 * b[n];
  }
}

void multiply(const MatmulArgs& args, const float* a, const float* b, float* out) noexcept {
  const auto* bias = static_cast<const float*>(args.bias);
  for (std::int64_t m = 0; m < args.m; ++m) {
    if (bias != nullptr) {
      std::copy_n(bias, args.n, out + m * args.n);
    } else {
      std::fill_n(out + m * args.n, args.n, 0.0F);
    }
  }
  const std::int64_t row_step = args.transpose_a == 0 ? args.lda : 1;
  const std::int64_t k_step = args.transpose_a == 0 ? 1 : args.lda;
  alignas(64) float tile[kTileK * kTileN];
  for (std::int64_t n = 0; n < args.n; n += kTileN) {
    const std::int64_t columns = std::min(kTileN, args.n - n);
    for (std::int64_t k = 0; k < args.k; k += kTileK) {
      const std::int64_t rows = std::min(kTileK, args.k - k);
      pack(args, b, k, rows, n, columns, tile);
      for (std::int64_t m = 0; m < args.m; ++m) {
        multiply_row(a + m * row_step + k * k_step, k_step, tile, rows, columns, out + m * args.n + n);
      }
    }
  }
}

}  // namespace

void matmul_portable(const MatmulArgs& args) noexcept {
  const auto* a = static_cast<const float*>(args.a);
  const auto* b = static_cast<const float*>(args.b);
  auto* out = static_cast<float*>(args.out);
  for (std::int64_t i = 0; i < args.batch; ++i) {
    multiply(args, a + i * args.a_batch_stride, b + i * args.b_batch_stride, out + i * args.m * args.n);
  }
}

void matmul_portable(const CommandView& command, KernelContext&) { matmul_portable(command.args<MatmulArgs>()); }

}  // namespace HEDDLE_NS::cpu
