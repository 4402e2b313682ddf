// What sum and mean share.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS::ops {

// `of_nothing`: the result where no element is reduced. `operation` names the operation in errors.
Tensor reduce_all(KernelId kernel, const char* operation, const Tensor& x, float of_nothing);
Tensor reduce_axis(KernelId kernel, const char* operation, const Tensor& x, std::int64_t axis, float of_nothing);

}  // namespace HEDDLE_NS::ops
