#include "heddle/ops/random.hpp"

namespace HEDDLE_NS::ops {
namespace {

void record(Lane& lane, KernelId kernel, GeneratorState* state, const std::shared_ptr<const void>& keep,
            const Tensor& out) {
  const auto count = static_cast<std::uint64_t>(out.elements());
  lane.write(out.residency());
  const std::uint64_t block_offset = lane.draw(state, (count + 3) / 4, keep);
  lane.append(kernel, RandomArgs{state, block_offset, out.address(), count});
}

}  // namespace

Tensor draw(KernelId kernel, Core& core, const Shape& shape) {
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = Tensor::allocate(core, lane, shape);
  // Only this stream uses its default generator, so its place on the timeline needs no note.
  if (shape.elements() != 0) record(lane, kernel, core.default_generator(lane), nullptr, out);
  return out;
}

Tensor draw(KernelId kernel, Generator& generator, const Shape& shape) {
  Core& core = generator.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = Tensor::allocate(core, lane, shape);
  if (shape.elements() == 0) return out;
  lane.read(generator.residency());
  lane.write(generator.residency());  // the list advances the state behind its last draw
  record(lane, kernel, generator.state(), generator.keep(), out);
  return out;
}

}  // namespace HEDDLE_NS::ops
