#include "heddle/ops.hpp"
#include "heddle/ops/random/random.hpp"

namespace HEDDLE_NS {

Tensor randn(Core& core, const Shape& shape) { return ops::draw(KernelId::kRandn, core, shape); }

Tensor randn(Generator& generator, const Shape& shape) { return ops::draw(KernelId::kRandn, generator, shape); }

}  // namespace HEDDLE_NS
