#include "heddle/ops.hpp"
#include "heddle/ops/elementwise/elementwise.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {

Tensor cast(const Tensor& x, Dtype dtype) {
  ops::require_defined("cast", x);
  if (x.dtype() == dtype) return x;
  Core& core = x.core();
  ops::require_kernel("cast", core, KernelId::kCast, dtype == Dtype::kFloat32 ? x.dtype() : dtype);
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, x.shape(), dtype);
  ops::record_unary(lane, KernelId::kCast, out, x);
  return out;
}

}  // namespace HEDDLE_NS
