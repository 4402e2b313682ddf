#include "heddle/tensor/generator.hpp"

#include <cstring>

namespace HEDDLE_NS {

Generator::Generator(Core& core, std::uint64_t seed, std::uint64_t subsequence) {
  const GeneratorState initial{seed, subsequence, 0};
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  const Tensor memory = Tensor::allocate(core, lane, Shape{sizeof(GeneratorState) / sizeof(float)});
  state_ = std::make_shared<const Tensor>(memory);
  std::byte* staged = lane.stage(sizeof(initial));
  std::memcpy(staged, &initial, sizeof(initial));
  lane.write(state_->residency());
  lane.append(KernelId::kCopyBytes, CopyBytesArgs{state(), staged, sizeof(initial)});
}

}  // namespace HEDDLE_NS
