#include "heddle/ops.hpp"

namespace HEDDLE_NS {

Tensor zeros(Core& core, const Shape& shape) { return full(core, shape, 0.0F); }

}  // namespace HEDDLE_NS
