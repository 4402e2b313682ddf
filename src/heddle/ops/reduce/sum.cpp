#include "heddle/ops.hpp"
#include "heddle/ops/reduce/reduce.hpp"

namespace HEDDLE_NS {

Tensor sum(const Tensor& x) { return ops::reduce_all(KernelId::kSum, "sum", x, 0.0F); }

Tensor sum(const Tensor& x, std::int64_t axis) { return ops::reduce_axis(KernelId::kSum, "sum", x, axis, 0.0F); }

}  // namespace HEDDLE_NS
