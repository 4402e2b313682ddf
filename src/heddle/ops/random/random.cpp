#include "heddle/ops/random/random.hpp"

namespace HEDDLE_NS::ops {

Tensor draw(KernelId kernel, Core& core, const Shape& shape) {
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape);
  if (shape.elements() == 0) return out;
  // Only this stream uses its default generator, so its place on the timeline needs no note.
  lane.record_draw(kernel, core.default_generator(lane), address_of(out), static_cast<std::uint64_t>(out.elements()),
                   OperandMemory(), operand_of(out), nullptr);
  return out;
}

Tensor draw(KernelId kernel, Generator& generator, const Shape& shape) {
  Core& core = generator.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape);
  if (shape.elements() == 0) return out;
  lane.record_draw(kernel, state_of(generator), address_of(out), static_cast<std::uint64_t>(out.elements()),
                   operand_of(generator), operand_of(out), GeneratorAccess::memory(generator));
  return out;
}

}  // namespace HEDDLE_NS::ops
