#include "heddle/ops/reduce/reduce.hpp"

#include "heddle/ops/elementwise/dense_operand.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS::ops {
namespace {

struct Extents {
  std::int64_t outer, reduced, inner;
};

Tensor reduce(KernelId kernel, const Tensor& x, const Shape& shape, const Extents& extents, float of_nothing) {
  Core& core = x.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape);
  if (shape.elements() == 0) return out;
  if (extents.reduced == 0) {
    record_fill(lane, out, of_nothing);
    return out;
  }
  const DenseOperand in(core, lane, x);
  Command<ReduceArgs> command(kernel);
  ReduceArgs& args = command.args;
  args = {address_of(in.tensor()), address_of(out), extents.outer, extents.reduced, extents.inner};
  const Tensor workspace = scratch(core, lane, core.device().workspace_bytes(command.view()));
  if (workspace.defined()) args.workspace = address_of(workspace);
  in.record(lane);
  lane.record(command, operand_of(in.tensor()), operand_of(out), operand_of(workspace));
  return out;
}

}  // namespace

Tensor reduce_all(KernelId kernel, const char* operation, const Tensor& x, float of_nothing) {
  require_defined(operation, x);
  require_kernel(operation, kernel, x);
  return reduce(kernel, x, Shape(), {1, x.elements(), 1}, of_nothing);
}

Tensor reduce_axis(KernelId kernel, const char* operation, const Tensor& x, std::int64_t axis, float of_nothing) {
  require_defined(operation, x);
  require_kernel(operation, kernel, x);
  const Shape& from = x.shape();
  const std::size_t reduced = resolve_axis(operation, from, axis);
  Extents extents{1, from[reduced], 1};
  std::array<std::int64_t, kMaxRank> kept{};
  std::size_t rank = 0;
  for (std::size_t dim = 0; dim < from.rank(); ++dim) {
    if (dim == reduced) continue;
    (dim < reduced ? extents.outer : extents.inner) *= from[dim];
    kept[rank++] = from[dim];
  }
  return reduce(kernel, x, Shape(std::span<const std::int64_t>(kept.data(), rank)), extents, of_nothing);
}

}  // namespace HEDDLE_NS::ops
