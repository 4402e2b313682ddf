#include "heddle/ops/matrix.hpp"

namespace HEDDLE_NS::ops {

Tensor matmul_workspace(Core& core, Lane& lane, const MatmulArgs& args, Dtype dtype) {
  const std::size_t bytes = core.device().workspace_bytes(args, dtype);
  if (bytes == 0) [[likely]]
    return {};
  const auto elements = static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float));
  return Tensor::allocate(core, lane, Shape{elements});
}

}  // namespace HEDDLE_NS::ops
