#include "heddle/ops.hpp"
#include "heddle/ops/elementwise.hpp"

namespace HEDDLE_NS {

Tensor add(const Tensor& a, const Tensor& b) { return ops::binary(KernelId::kAdd, "add", a, b); }

}  // namespace HEDDLE_NS
