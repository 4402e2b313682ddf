// Sums and means over one dimension. Which thread adds what, and in which order, depends on the shape only: four
// neighbours in float32, everything beyond in float64, then fixed trees over a warp, a block and, for long sums, over
// pieces that a second kernel joins. So a sum has the same bits in every run, and its error stays far below
// 1e-5 * sum |terms|.
#include <algorithm>

#include "heddle/backends/cuda/kernels/launch.cuh"

namespace HEDDLE_NS::cuda {

namespace {

constexpr unsigned kWarp = 32;
constexpr std::int64_t kWarpRow = 512;         // up to here one warp sums a row
constexpr std::int64_t kSmallBlockRow = 8192;  // up to here a small block does, beyond it a large one
constexpr unsigned kSmallBlock = 256;
constexpr unsigned kLargeBlock = 1024;
constexpr std::int64_t kSplitFrom = 131072;  // longer rows are cut, where there are few of them
constexpr std::int64_t kRowPiece = 8192;
constexpr std::int64_t kColumnPiece = 256;
constexpr std::int64_t kMostPieces = 256;  // of all rows together: enough to fill a device
constexpr unsigned kColumnRows = 8;        // rows that a block of columns adds at a time

// Where a sum goes: to the result, or as a piece to the workspace, [piece][output].
struct Destination {
  float* out;
  double* partial;  // null: to `out`
  double divisor;
  __device__ void store(std::int64_t output, std::int64_t piece, std::int64_t outputs, double sum) const {
    if (partial != nullptr) {
      partial[piece * outputs + output] = sum;
    } else {
      out[output] = static_cast<float>(sum / divisor);
    }
  }
};

__device__ double warp_sum(double value) {
  for (unsigned step = kWarp / 2; step > 0; step /= 2) value += __shfl_down_sync(0xFFFFFFFF, value, step);
  return value;  // in lane 0
}

template <unsigned kThreads>
__device__ double block_sum(double value) {
  __shared__ double sums[kThreads / kWarp];
  value = warp_sum(value);
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = value;
  __syncthreads();
  if (threadIdx.x >= kWarp) return 0;
  return warp_sum(threadIdx.x < kThreads / kWarp ? sums[threadIdx.x] : 0.0);  // in thread 0
}

// The sum of what thread `thread` of `threads` takes of in[first, last): quads in turn. The same additions whether or
// not the quads are aligned.
__device__ double quads_sum(const float* in, std::int64_t first, std::int64_t last, unsigned thread, unsigned threads,
                            bool aligned) {
  double total = 0;
  std::int64_t at = first + std::int64_t{thread} * 4;
  const std::int64_t step = std::int64_t{threads} * 4;
  if (aligned) {
#pragma unroll 4
    for (; at + 4 <= last; at += step) {
      const float4 quad = *reinterpret_cast<const float4*>(in + at);
      total += static_cast<double>((quad.x + quad.y) + (quad.z + quad.w));
    }
  } else {
    for (; at + 4 <= last; at += step) total += static_cast<double>((in[at] + in[at + 1]) + (in[at + 2] + in[at + 3]));
  }
  if (at < last) {
    float quad[4] = {};
    for (std::int64_t i = at; i < last; ++i) quad[i - at] = in[i];
    total += static_cast<double>((quad[0] + quad[1]) + (quad[2] + quad[3]));
  }
  return total;
}

__device__ bool quads_aligned(const float* row) { return reinterpret_cast<std::uintptr_t>(row) % sizeof(float4) == 0; }

__global__ void __launch_bounds__(kSmallBlock)
    sum_short_rows(const float* in, Destination to, std::int64_t outer, std::int64_t reduced) {
  const std::int64_t row = std::int64_t{blockIdx.x} * (kSmallBlock / kWarp) + threadIdx.x / kWarp;
  if (row >= outer) return;
  const float* from = in + row * reduced;
  const double sum = warp_sum(quads_sum(from, 0, reduced, threadIdx.x % kWarp, kWarp, quads_aligned(from)));
  if (threadIdx.x % kWarp == 0) to.store(row, 0, outer, sum);
}

template <unsigned kThreads>
__global__ void __launch_bounds__(kThreads)
    sum_rows(const float* in, Destination to, std::int64_t outer, std::int64_t reduced, std::int64_t pieces) {
  const std::int64_t row = blockIdx.x / pieces;
  const std::int64_t piece = blockIdx.x % pieces;
  const std::int64_t length = ((reduced + pieces - 1) / pieces + 3) / 4 * 4;
  const std::int64_t first = min(piece * length, reduced);
  const float* from = in + row * reduced;
  const double sum = block_sum<kThreads>(
      quads_sum(from, first, min(first + length, reduced), threadIdx.x, kThreads, quads_aligned(from)));
  if (threadIdx.x == 0) to.store(row, piece, outer, sum);
}

// 32 neighbouring columns of one outer index and one piece of the rows.
__global__ void __launch_bounds__(kWarp* kColumnRows)
    sum_columns(const float* in, Destination to, std::int64_t outer, std::int64_t reduced, std::int64_t inner,
                std::int64_t pieces) {
  __shared__ double sums[kColumnRows][kWarp];
  const std::int64_t tiles = (inner + kWarp - 1) / kWarp;
  const std::int64_t tile = blockIdx.x % tiles;
  const std::int64_t piece = blockIdx.x / tiles % pieces;
  const std::int64_t o = blockIdx.x / tiles / pieces;
  const std::int64_t column = tile * kWarp + threadIdx.x;
  const std::int64_t length = (reduced + pieces - 1) / pieces;
  const std::int64_t first = min(piece * length, reduced);
  const std::int64_t last = min(first + length, reduced);
  double total = 0;
  if (column < inner) {
    const float* from = in + o * reduced * inner + column;
    std::int64_t r = first + threadIdx.y;
    for (; r + 3 * kColumnRows < last; r += 4 * kColumnRows) {
      const float a = from[r * inner], b = from[(r + kColumnRows) * inner];
      const float c = from[(r + 2 * kColumnRows) * inner], d = from[(r + 3 * kColumnRows) * inner];
      total += static_cast<double>((a + b) + (c + d));
    }
    for (; r < last; r += kColumnRows) total += static_cast<double>(from[r * inner]);
  }
  sums[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y != 0 || column >= inner) return;
  for (unsigned row = 1; row < kColumnRows; ++row) total += sums[row][threadIdx.x];
  to.store(o * inner + column, piece, outer * inner, total);
}

// One warp an output.
__global__ void __launch_bounds__(kSmallBlock)
    join_pieces(const double* partial, Destination to, std::int64_t outputs, std::int64_t pieces) {
  const std::int64_t output = std::int64_t{blockIdx.x} * (kSmallBlock / kWarp) + threadIdx.x / kWarp;
  if (output >= outputs) return;
  double total = 0;
  for (std::int64_t piece = threadIdx.x % kWarp; piece < pieces; piece += kWarp) {
    total += partial[piece * outputs + output];
  }
  total = warp_sum(total);
  if (threadIdx.x % kWarp == 0) to.store(output, 0, outputs, total);
}

std::int64_t divide_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

// How many pieces a reduction is cut into: of the shape alone, as the order of additions depends on it.
std::int64_t pieces_of(const ReduceArgs& args) {
  if (args.inner == 1) {
    if (args.reduced < kSplitFrom) return 1;
    return std::clamp<std::int64_t>(kMostPieces / std::max<std::int64_t>(args.outer, 1), 1,
                                    divide_up(args.reduced, kRowPiece));
  }
  const std::int64_t tiles = args.outer * divide_up(args.inner, kWarp);
  return std::clamp<std::int64_t>(kMostPieces / std::max<std::int64_t>(tiles, 1), 1,
                                  divide_up(args.reduced, kColumnPiece));
}

cudaError_t launch_pieces(const ReduceArgs& args, const Destination& to, std::int64_t pieces, cudaStream_t stream) {
  const auto* const in = static_cast<const float*>(args.in);
  const auto blocks = [](std::int64_t count) { return blocks_for(static_cast<std::uint64_t>(count), 1); };
  if (args.inner != 1) {
    return launch(sum_columns, blocks(args.outer * pieces * divide_up(args.inner, kWarp)), dim3(kWarp, kColumnRows),
                  stream, in, to, args.outer, args.reduced, args.inner, pieces);
  }
  if (args.reduced <= kWarpRow) {
    return launch(sum_short_rows, blocks(divide_up(args.outer, kSmallBlock / kWarp)), kSmallBlock, stream, in, to,
                  args.outer, args.reduced);
  }
  if (divide_up(args.reduced, pieces) <= kSmallBlockRow) {
    return launch(sum_rows<kSmallBlock>, blocks(args.outer * pieces), kSmallBlock, stream, in, to, args.outer,
                  args.reduced, pieces);
  }
  return launch(sum_rows<kLargeBlock>, blocks(args.outer * pieces), kLargeBlock, stream, in, to, args.outer,
                args.reduced, pieces);
}

}  // namespace

std::size_t reduce_workspace_bytes(const ReduceArgs& args) noexcept {
  const std::int64_t pieces = pieces_of(args);
  return pieces == 1 ? 0 : static_cast<std::size_t>(args.outer * args.inner * pieces) * sizeof(double);
}

cudaError_t launch_reduce(const CommandHeader& command, const ReduceArgs& args, cudaStream_t stream) {
  const std::int64_t outputs = args.outer * args.inner;
  if (outputs == 0) return cudaSuccess;
  const std::int64_t pieces = pieces_of(args);
  const Destination result{static_cast<float*>(args.out), nullptr,
                           command.kernel == KernelId::kMean ? static_cast<double>(args.reduced) : 1.0};
  if (pieces == 1) return launch_pieces(args, result, 1, stream);
  auto* const partial = static_cast<double*>(args.workspace);
  const cudaError_t error = launch_pieces(args, Destination{nullptr, partial, 1.0}, pieces, stream);
  if (error != cudaSuccess) return error;
  return launch(join_pieces, blocks_for(static_cast<std::uint64_t>(outputs), kSmallBlock / kWarp), kSmallBlock, stream,
                static_cast<const double*>(partial), result, outputs, pieces);
}

cudaError_t preload_reduce() {
  return preload_all(sum_short_rows, sum_rows<kSmallBlock>, sum_rows<kLargeBlock>, sum_columns, join_pieces);
}

}  // namespace HEDDLE_NS::cuda
