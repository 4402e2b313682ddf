#include "heddle/backends/cuda/kernels/launch.cuh"

namespace HEDDLE_NS::cuda {

namespace {

constexpr unsigned kThreads = 256;

// As bits, so that a signalling NaN arrives as it was given.
__global__ void __launch_bounds__(kThreads) fill(std::uint32_t* out, std::uint64_t count, std::uint32_t bits) {
  const std::uint64_t first = (std::uint64_t{blockIdx.x} * kThreads + threadIdx.x) * 4;
  if (first + 4 <= count && reinterpret_cast<std::uintptr_t>(out) % sizeof(uint4) == 0) {
    *reinterpret_cast<uint4*>(out + first) = make_uint4(bits, bits, bits, bits);
    return;
  }
  for (std::uint64_t i = first; i < first + 4 && i < count; ++i) out[i] = bits;
}

}  // namespace

cudaError_t launch_fill(const FillArgs& args, cudaStream_t stream) {
  if (args.count == 0) return cudaSuccess;
  return launch(fill, blocks_for((args.count + 3) / 4, kThreads), kThreads, stream,
                static_cast<std::uint32_t*>(args.out), args.count, static_cast<std::uint32_t>(args.value_bits));
}

cudaError_t preload_fill() { return preload(fill); }

}  // namespace HEDDLE_NS::cuda
