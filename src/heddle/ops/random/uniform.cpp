#include "heddle/ops.hpp"
#include "heddle/ops/random/random.hpp"

namespace HEDDLE_NS {

Tensor uniform(Core& core, const Shape& shape) { return ops::draw(KernelId::kUniform, core, shape); }

Tensor uniform(Generator& generator, const Shape& shape) { return ops::draw(KernelId::kUniform, generator, shape); }

}  // namespace HEDDLE_NS
