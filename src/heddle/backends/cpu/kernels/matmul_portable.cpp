// The matrix product in plain C++: what runs where oneDNN is absent, refuses a call, or is not wanted.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/device/half.hpp"

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

namespace {

// Half-precision operands as floats: the product is computed as for float32, and rounded once.
template <class T>
std::vector<float> widened(const void* values, std::int64_t count) {
  const auto* from = static_cast<const T*>(values);
  std::vector<float> result(static_cast<std::size_t>(count));
  std::transform(from, from + count, result.begin(), [](T value) { return to_float(value); });
  return result;
}

// Elements from the first to the last that a matrix of `rows` stored rows touches.
std::int64_t extent(std::int64_t rows, std::int64_t columns, std::int64_t ld) noexcept {
  return rows == 0 || columns == 0 ? 0 : (rows - 1) * ld + columns;
}

template <class T>
void matmul_half(MatmulArgs args) {
  const std::int64_t a_extent =
      args.transpose_a == 0 ? extent(args.m, args.k, args.lda) : extent(args.k, args.m, args.lda);
  const std::int64_t b_extent =
      args.transpose_b == 0 ? extent(args.k, args.n, args.ldb) : extent(args.n, args.k, args.ldb);
  auto* out = static_cast<T*>(args.out);
  const auto* a = static_cast<const T*>(args.a);
  const auto* b = static_cast<const T*>(args.b);
  const std::vector<float> bias = widened<T>(args.bias, args.bias != nullptr ? args.n : 0);
  std::vector<float> product(static_cast<std::size_t>(args.m * args.n));
  if (args.bias != nullptr) args.bias = bias.data();
  for (std::int64_t i = 0; i < args.batch; ++i) {
    const std::vector<float> left = widened<T>(a + i * args.a_batch_stride, a_extent);
    const std::vector<float> right = widened<T>(b + i * args.b_batch_stride, b_extent);
    multiply(args, left.data(), right.data(), product.data());
    out = std::transform(product.begin(), product.end(), out, [](float value) { return from_float<T>(value); });
  }
}

}  // namespace

void matmul_portable(const CommandView& command, KernelContext&) {
  const auto args = command.args<MatmulArgs>();
  switch (command.dtype()) {
    case Dtype::kFloat32: return matmul_portable(args);
    case Dtype::kFloat16: return matmul_half<Float16>(args);
    case Dtype::kBFloat16: return matmul_half<BFloat16>(args);
  }
}

}  // namespace HEDDLE_NS::cpu
