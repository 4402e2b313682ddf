#include "heddle/ops/random.hpp"

#include <utility>

namespace HEDDLE_NS::ops {
namespace {

void record(Lane& lane, KernelId kernel, GeneratorState* state, std::shared_ptr<const void> keep, const Tensor& out) {
  lane.write(out.residency());
  lane.append_draw(kernel, state, out.address(), static_cast<std::uint64_t>(out.elements()), std::move(keep));
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
  lane.order_behind(generator.residency());
  lane.write(generator.residency());  // the list advances the state behind its last draw
  record(lane, kernel, generator.state(), generator.keep(), out);
  return out;
}

}  // namespace HEDDLE_NS::ops
