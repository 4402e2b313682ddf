#include <limits>

#include "heddle/ops.hpp"
#include "heddle/ops/reduce/reduce.hpp"

namespace HEDDLE_NS {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

Tensor mean(const Tensor& x) { return ops::reduce_all(KernelId::kMean, "mean", x, kNan); }

Tensor mean(const Tensor& x, std::int64_t axis) { return ops::reduce_axis(KernelId::kMean, "mean", x, axis, kNan); }

}  // namespace HEDDLE_NS
