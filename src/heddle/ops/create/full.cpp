#include "heddle/ops.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {

Tensor full(Core& core, const Shape& shape, float value) {
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape);
  if (shape.elements() != 0) ops::record_fill(lane, out, value);
  return out;
}

}  // namespace HEDDLE_NS
