// The matrix product by hand: 32 x 32 tiles through shared memory, four results a thread, accumulated in float32. It
// does what the library refuses (an empty sum, an odd layout), and is what its results can be compared with.
#include "heddle/backends/cuda/kernels/launch.cuh"

namespace HEDDLE_NS::cuda {

namespace {

constexpr int kTile = 32;
constexpr int kRows = 8;  // threads down; each computes kTile / kRows results

template <class T>
__global__ void __launch_bounds__(kTile* kRows) multiply(const __grid_constant__ MatmulArgs args) {
  __shared__ float left[kTile][kTile + 1];
  __shared__ float right[kTile][kTile + 1];
  const std::int64_t tiles = (args.n + kTile - 1) / kTile;
  const std::int64_t row0 = std::int64_t{blockIdx.x} / tiles * kTile;
  const std::int64_t column0 = std::int64_t{blockIdx.x} % tiles * kTile;
  const auto x = static_cast<int>(threadIdx.x);
  const auto y = static_cast<int>(threadIdx.y);
  for (std::int64_t batch = blockIdx.y; batch < args.batch; batch += gridDim.y) {
    const T* a = static_cast<const T*>(args.a) + batch * args.a_batch_stride;
    const T* b = static_cast<const T*>(args.b) + batch * args.b_batch_stride;
    float sums[kTile / kRows] = {};
    for (std::int64_t k0 = 0; k0 < args.k; k0 += kTile) {
      // Neighbouring threads read neighbouring memory, whichever way the matrix lies.
      for (int i = y; i < kTile; i += kRows) {
        const int a_row = args.transpose_a != 0 ? x : i, a_k = args.transpose_a != 0 ? i : x;
        const std::int64_t m = row0 + a_row, ak = k0 + a_k;
        left[a_row][a_k] = m < args.m && ak < args.k
                               ? load_float(args.transpose_a != 0 ? a[ak * args.lda + m] : a[m * args.lda + ak])
                               : 0.0F;
        const int b_k = args.transpose_b != 0 ? x : i, b_column = args.transpose_b != 0 ? i : x;
        const std::int64_t bk = k0 + b_k, n = column0 + b_column;
        right[b_k][b_column] = bk < args.k && n < args.n
                                   ? load_float(args.transpose_b != 0 ? b[n * args.ldb + bk] : b[bk * args.ldb + n])
                                   : 0.0F;
      }
      __syncthreads();
      for (int k = 0; k < kTile; ++k) {
        for (int i = 0; i < kTile / kRows; ++i) sums[i] += left[y + i * kRows][k] * right[k][x];
      }
      __syncthreads();
    }
    const std::int64_t n = column0 + x;
    if (n >= args.n) continue;
    const float bias = args.bias != nullptr ? load_float(static_cast<const T*>(args.bias)[n]) : 0.0F;
    for (int i = 0; i < kTile / kRows; ++i) {
      const std::int64_t m = row0 + y + i * kRows;
      if (m < args.m) static_cast<T*>(args.out)[(batch * args.m + m) * args.n + n] = store_float<T>(sums[i] + bias);
    }
  }
}

template <class T>
cudaError_t launch_typed(const MatmulArgs& args, cudaStream_t stream) {
  constexpr std::int64_t kMostBatches = 65535;  // of one grid; the kernel goes round
  const std::int64_t tiles = ((args.m + kTile - 1) / kTile) * ((args.n + kTile - 1) / kTile);
  const dim3 grid(blocks_for(static_cast<std::uint64_t>(tiles), 1),
                  static_cast<unsigned>(args.batch < kMostBatches ? args.batch : kMostBatches));
  return launch(multiply<T>, grid, dim3(kTile, kRows), stream, args);
}

}  // namespace

cudaError_t launch_matmul(const MatmulArgs& args, Dtype dtype, cudaStream_t stream) {
  switch (dtype) {
    case Dtype::kFloat32: return launch_typed<float>(args, stream);
    case Dtype::kFloat16: return launch_typed<__half>(args, stream);
    case Dtype::kBFloat16: return launch_typed<__nv_bfloat16>(args, stream);
  }
  return cudaErrorInvalidDeviceFunction;
}

cudaError_t preload_matmul() { return preload_all(multiply<float>, multiply<__half>, multiply<__nv_bfloat16>); }

}  // namespace HEDDLE_NS::cuda
