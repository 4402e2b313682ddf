// What randn and uniform share.
#pragma once

#include "heddle/base/namespace.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/tensor/generator.hpp"

namespace HEDDLE_NS::ops {

// Draws from the default generator of the calling thread's stream.
Tensor draw(KernelId kernel, Core& core, const Shape& shape);
Tensor draw(KernelId kernel, Generator& generator, const Shape& shape);

}  // namespace HEDDLE_NS::ops
