#include "heddle/ops/matrix.hpp"

#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS::ops {

void MatrixOperand::record(Lane& lane) const {
  if (copy_.defined()) record_copy(lane, copy_, source_);
}

Tensor matmul_workspace(Core& core, Lane& lane, const MatmulArgs& args) {
  const std::size_t bytes = core.device().workspace_bytes(args);
  if (bytes == 0) [[likely]]
    return {};
  const auto elements = static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float));
  return Tensor::allocate(core, lane, Shape{elements});
}

}  // namespace HEDDLE_NS::ops
