#include "heddle/ops.hpp"
#include "heddle/ops/elementwise.hpp"

namespace HEDDLE_NS {

Tensor sub(const Tensor& a, const Tensor& b) { return ops::binary(KernelId::kSub, "sub", a, b); }

}  // namespace HEDDLE_NS
