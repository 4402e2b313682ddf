#include "heddle/ops/random.hpp"

#include <utility>

namespace HEDDLE_NS::ops {
namespace {

Ticket record(Lane& lane, KernelId kernel, GeneratorState* state, std::shared_ptr<const void> keep, const Tensor& out) {
  lane.write(residency_of(out));
  return lane.append_draw(kernel, state, address_of(out), static_cast<std::uint64_t>(out.elements()), std::move(keep));
}

}  // namespace

Tensor draw(KernelId kernel, Core& core, const Shape& shape) {
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape);
  // Only this stream uses its default generator, so its place on the timeline needs no note.
  if (shape.elements() != 0) record(lane, kernel, core.default_generator(lane), nullptr, out);
  return out;
}

Tensor draw(KernelId kernel, Generator& generator, const Shape& shape) {
  Core& core = generator.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape);
  if (shape.elements() == 0) return out;
  lane.order_behind(residency_of(generator));
  lane.note_use(residency_of(generator));
  // The list advances the state after its last draw. Noted once there is such a list: the generator goes on living.
  const Ticket ticket = record(lane, kernel, state_of(generator), GeneratorAccess::memory(generator), out);
  residency_of(generator).note_write(&lane, ticket);
  return out;
}

}  // namespace HEDDLE_NS::ops
