// Draws of random numbers: one thread a block of the sequence, hence four numbers, stored at once.
#include "heddle/backends/cuda/kernels/launch.cuh"
#include "heddle/backends/cuda/kernels/philox.cuh"

namespace HEDDLE_NS::cuda {

namespace {

constexpr unsigned kThreads = 256;

struct Normals {
  __device__ static float4 numbers(uint4 words) {
    const float2 first = normals_from_words(words.x, words.y);
    const float2 second = normals_from_words(words.z, words.w);
    return make_float4(first.x, first.y, second.x, second.y);
  }
};

struct Uniforms {
  __device__ static float4 numbers(uint4 words) {
    return make_float4(uniform_from_word(words.x), uniform_from_word(words.y), uniform_from_word(words.z),
                       uniform_from_word(words.w));
  }
};

template <class Numbers>
__global__ void __launch_bounds__(kThreads) draw(RandomArgs args) {
  const std::uint64_t index = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::uint64_t first = index * 4;
  if (first >= args.count) return;
  const GeneratorState state = *args.state;
  const float4 numbers = Numbers::numbers(philox_block(state, state.block + args.block_offset + index));
  float* out = static_cast<float*>(args.out) + first;
  if (first + 4 <= args.count && reinterpret_cast<std::uintptr_t>(out) % sizeof(float4) == 0) {
    *reinterpret_cast<float4*>(out) = numbers;
    return;
  }
  const float each[4] = {numbers.x, numbers.y, numbers.z, numbers.w};
  for (unsigned i = 0; i < 4 && first + i < args.count; ++i) out[i] = each[i];
}

unsigned blocks(const RandomArgs& args) { return blocks_for((args.count + 3) / 4, kThreads); }

}  // namespace

cudaError_t launch_randn(const RandomArgs& args, cudaStream_t stream) {
  return args.count == 0 ? cudaSuccess : launch(draw<Normals>, blocks(args), kThreads, stream, args);
}

cudaError_t launch_uniform(const RandomArgs& args, cudaStream_t stream) {
  return args.count == 0 ? cudaSuccess : launch(draw<Uniforms>, blocks(args), kThreads, stream, args);
}

cudaError_t preload_random() { return preload_all(draw<Normals>, draw<Uniforms>); }

}  // namespace HEDDLE_NS::cuda
