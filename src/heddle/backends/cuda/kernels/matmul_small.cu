// Products whose cost is the launch: tiles of 16 x 16 results, so that even 64 x 64 fills 16 processors, four groups of
// threads that each take a quarter of k, and one launch without the library's way to it. Accumulated in float32; the
// order of additions depends on k only.
#include "heddle/backends/cuda/kernels/launch.cuh"

namespace HEDDLE_NS::cuda {

namespace {

constexpr int kTile = 16;
constexpr int kDepth = 64;  // of k that is in shared memory at a time
constexpr int kGroups = 4;
constexpr int kSide = 8;  // threads of a group each way; each has 2 x 2 results
constexpr int kGroupThreads = kSide * kSide;
constexpr int kThreads = kGroups * kGroupThreads;
constexpr int kPitch = kTile + 2;  // even, so that two neighbours are read at once

// Row `row`, column `column` of a matrix stored in rows of `ld` elements, or of its transpose.
__device__ float element(const float* matrix, std::int64_t ld, bool transposed, int row, int column) {
  return transposed ? matrix[column * ld + row] : matrix[row * ld + column];
}

struct Sums {
  float at[2][2] = {};
  __device__ void add_products(float2 a, float2 b) {
    at[0][0] += a.x * b.x;
    at[0][1] += a.x * b.y;
    at[1][0] += a.y * b.x;
    at[1][1] += a.y * b.y;
  }
};

__global__ void __launch_bounds__(kThreads) multiply_small(const __grid_constant__ MatmulArgs args) {
  __shared__ alignas(8) float left[kDepth][kPitch];   // [k][row]
  __shared__ alignas(8) float right[kDepth][kPitch];  // [k][column]
  __shared__ float4 partial[kGroups - 1][kGroupThreads];
  const auto m = static_cast<int>(args.m), n = static_cast<int>(args.n), k = static_cast<int>(args.k);
  const int tiles = (n + kTile - 1) / kTile;
  const int row0 = static_cast<int>(blockIdx.x) / tiles * kTile;
  const int column0 = static_cast<int>(blockIdx.x) % tiles * kTile;
  const bool turn_a = args.transpose_a != 0, turn_b = args.transpose_b != 0;
  const float* a = static_cast<const float*>(args.a) + blockIdx.y * args.a_batch_stride;
  const float* b = static_cast<const float*>(args.b) + blockIdx.y * args.b_batch_stride;
  const int thread = static_cast<int>(threadIdx.x);
  const int group = thread / kGroupThreads, member = thread % kGroupThreads;
  const int x = member % kSide * 2, y = member / kSide * 2;
  Sums sums;
  for (int k0 = 0; k0 < k; k0 += kDepth) {
    if (k0 > 0) __syncthreads();
#pragma unroll
    for (int i = 0; i < kTile * kDepth / kThreads; ++i) {
      const int at = thread + i * kThreads;
      // Neighbouring threads read neighbouring memory, whichever way the matrix lies.
      const int a_row = turn_a ? at % kTile : at / kDepth, a_k = turn_a ? at / kTile : at % kDepth;
      const bool a_inside = row0 + a_row < m && k0 + a_k < k;
      left[a_k][a_row] = a_inside ? element(a, args.lda, turn_a, row0 + a_row, k0 + a_k) : 0.0F;
      const int b_k = turn_b ? at % kDepth : at / kTile, b_column = turn_b ? at / kDepth : at % kTile;
      const bool b_inside = k0 + b_k < k && column0 + b_column < n;
      right[b_k][b_column] = b_inside ? element(b, args.ldb, turn_b, k0 + b_k, column0 + b_column) : 0.0F;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kDepth / kGroups; ++i) {
      const int at = group * (kDepth / kGroups) + i;
      sums.add_products(*reinterpret_cast<const float2*>(&left[at][y]),
                        *reinterpret_cast<const float2*>(&right[at][x]));
    }
  }
  if (group > 0) partial[group - 1][member] = make_float4(sums.at[0][0], sums.at[0][1], sums.at[1][0], sums.at[1][1]);
  __syncthreads();
  if (group > 0) return;
  for (int other = 0; other < kGroups - 1; ++other) {
    const float4 more = partial[other][member];
    sums.at[0][0] += more.x;
    sums.at[0][1] += more.y;
    sums.at[1][0] += more.z;
    sums.at[1][1] += more.w;
  }
  float* out = static_cast<float*>(args.out) + std::int64_t{blockIdx.y} * m * n;
  const auto* bias = static_cast<const float*>(args.bias);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      const int row = row0 + y + i, column = column0 + x + j;
      if (row < m && column < n) out[row * n + column] = sums.at[i][j] + (bias != nullptr ? bias[column] : 0.0F);
    }
  }
}

}  // namespace

bool is_small_matmul(const MatmulArgs& args, Dtype dtype) noexcept {
  return dtype == Dtype::kFloat32 && args.m <= kSmallMatmul && args.n <= kSmallMatmul && args.k <= kSmallMatmul &&
         args.batch <= 65535;
}

cudaError_t launch_matmul_small(const MatmulArgs& args, cudaStream_t stream) {
  const auto tiles = static_cast<std::uint64_t>(((args.m + kTile - 1) / kTile) * ((args.n + kTile - 1) / kTile));
  return launch(multiply_small, dim3(blocks_for(tiles, 1), static_cast<unsigned>(args.batch)), kThreads, stream, args);
}

cudaError_t preload_matmul_small() { return preload(multiply_small); }

}  // namespace HEDDLE_NS::cuda
