#include "heddle/ops/elementwise.hpp"
#include "heddle/ops/ops.hpp"

namespace HEDDLE_NS {

Tensor relu(const Tensor& x) { return ops::unary(KernelId::kRelu, "relu", x); }

}  // namespace HEDDLE_NS
