#include "heddle/ops.hpp"
#include "heddle/ops/elementwise.hpp"

namespace HEDDLE_NS {

Tensor relu(const Tensor& x) { return ops::unary(KernelId::kRelu, "relu", x); }

}  // namespace HEDDLE_NS
