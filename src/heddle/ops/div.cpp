#include "heddle/ops.hpp"
#include "heddle/ops/elementwise.hpp"

namespace HEDDLE_NS {

Tensor div(const Tensor& a, const Tensor& b) { return ops::binary(KernelId::kDiv, "div", a, b); }

}  // namespace HEDDLE_NS
