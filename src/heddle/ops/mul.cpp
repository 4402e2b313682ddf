#include "heddle/ops.hpp"
#include "heddle/ops/elementwise.hpp"

namespace HEDDLE_NS {

Tensor mul(const Tensor& a, const Tensor& b) { return ops::binary(KernelId::kMul, "mul", a, b); }

}  // namespace HEDDLE_NS
