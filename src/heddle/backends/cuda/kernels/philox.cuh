// Philox4x32-10 on the device: the numbers that backends/cpu/kernels/philox.hpp defines, word for word.
#pragma once

#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"

namespace HEDDLE_NS::cuda {

// Words of one block of the sequence. Counter: {block, subsequence}; key: seed.
__device__ inline uint4 philox_block(const GeneratorState& state, std::uint64_t block) {
  uint4 counter =
      make_uint4(static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                 static_cast<std::uint32_t>(state.subsequence), static_cast<std::uint32_t>(state.subsequence >> 32));
  std::uint32_t key0 = static_cast<std::uint32_t>(state.seed);
  std::uint32_t key1 = static_cast<std::uint32_t>(state.seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter.x;
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter.z;
    counter =
        make_uint4(static_cast<std::uint32_t>(product1 >> 32) ^ counter.y ^ key0, static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter.w ^ key1, static_cast<std::uint32_t>(product0));
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

__device__ inline float uniform_from_word(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24F; }

// r(w0) * {cos, sin}(2 pi w1 2^-32). The angle is taken as a signed word, which halves its rounding error; the radius'
// argument is exact in float32.
__device__ inline float2 normals_from_words(std::uint32_t radius_word, std::uint32_t angle_word) {
  const float radius = sqrtf(-2.0F * logf(static_cast<float>((radius_word >> 8) + 1) * 0x1p-24F));
  float sine, cosine;
  sincospif(static_cast<float>(static_cast<std::int32_t>(angle_word)) * 0x1p-31F, &sine, &cosine);
  return make_float2(radius * cosine, radius * sine);
}

}  // namespace HEDDLE_NS::cuda
