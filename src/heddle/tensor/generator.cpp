#include "heddle/generator.hpp"

#include <span>

#include "heddle/error.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS {

Generator::Generator(Core& core, std::uint64_t seed, std::uint64_t subsequence) {
  const GeneratorState initial{seed, subsequence, 0};
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  const Tensor memory = allocate_tensor(core, lane, Shape{sizeof(GeneratorState) / sizeof(float)});
  state_ = std::make_shared<const Tensor>(memory);
  lane.record_upload(address_of(memory), std::as_bytes(std::span(&initial, 1)), operand_of(memory));
}

Core& Generator::core() const {
  if (state_ == nullptr) throw InvalidArgument("the generator was moved from; use the one it was moved to");
  return state_->core();
}

}  // namespace HEDDLE_NS
