// Draws of random numbers; see philox.hpp for what the numbers are.
#include <algorithm>
#include <cstdint>

#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/backends/cpu/kernels/philox.hpp"
#include "heddle/backends/cpu/kernels/random_simd.hpp"

namespace HEDDLE_NS::cpu {

void randn_simd(const CommandView& command, KernelContext&) {
  const auto args = command.args<RandomArgs>();
  simd_normals(*args.state, args.block_offset, args.count, static_cast<float*>(args.out));
}

void randn_portable(const CommandView& command, KernelContext&) {
  const auto args = command.args<RandomArgs>();
  auto* out = static_cast<float*>(args.out);
  constexpr std::uint64_t kBatch = 64;
  double batch[kBatch];
  for (std::uint64_t at = 0; at < args.count; at += kBatch) {
    const std::uint64_t count = std::min(kBatch, args.count - at);
    reference_normals(*args.state, args.block_offset + at / 4, count, batch);
    for (std::uint64_t i = 0; i < count; ++i) out[at + i] = static_cast<float>(batch[i]);
  }
}

void uniform_simd(const CommandView& command, KernelContext&) {
  const auto args = command.args<RandomArgs>();
  simd_uniforms(*args.state, args.block_offset, args.count, static_cast<float*>(args.out));
}

void uniform_portable(const CommandView& command, KernelContext&) {
  const auto args = command.args<RandomArgs>();
  auto* out = static_cast<float*>(args.out);
  const GeneratorState& state = *args.state;
  for (std::uint64_t at = 0; at < args.count; at += 4) {
    const auto words = philox_block(state.seed, state.subsequence, state.block + args.block_offset + at / 4);
    for (std::uint64_t i = 0; i < 4 && at + i < args.count; ++i) out[at + i] = uniform_from_word(words[i]);
  }
}

}  // namespace HEDDLE_NS::cpu
