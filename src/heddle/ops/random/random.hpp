// What randn and uniform share.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/generator.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS::ops {

// Draws from the default generator of the calling thread's stream.
Tensor draw(KernelId kernel, Core& core, const Shape& shape);
Tensor draw(KernelId kernel, Generator& generator, const Shape& shape);

}  // namespace HEDDLE_NS::ops
