#include "heddle/ops/elementwise/elementwise.hpp"

#include <algorithm>

#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS::ops {
namespace {

void set_dense_loop(ElementwiseArgs& args, std::int64_t elements, std::int64_t b_stride) noexcept {
  args.rank = elements == 1 ? 0 : 1;
  args.dims[0] = {elements, 1, 1, b_stride};
}

}  // namespace

void set_loop(ElementwiseArgs& args, const Shape& out, const Tensor& a, const Tensor* b) noexcept {
  std::size_t used = 0;  // dims are filled from the innermost on, then turned round
  std::int64_t out_stride = 1;
  for (std::size_t dim = out.rank(); dim-- > 0;) {
    const std::int64_t extent = out[dim];
    if (extent == 1) continue;
    const LoopDim next{extent, out_stride, broadcast_stride(a, dim, out.rank()),
                       b != nullptr ? broadcast_stride(*b, dim, out.rank()) : 0};
    out_stride *= extent;
    if (used > 0) {
      LoopDim& inner = args.dims[used - 1];
      // The result is dense, so only the inputs decide whether one stride covers both dimensions.
      if (next.a_stride == inner.a_stride * inner.extent && next.b_stride == inner.b_stride * inner.extent) {
        inner.extent *= extent;
        continue;
      }
    }
    args.dims[used++] = next;
  }
  args.rank = used;
  std::reverse(args.dims, args.dims + used);
}

void record_unary(Lane& lane, KernelId kernel, const Tensor& out, const Tensor& x) {
  if (x.elements() == 0) return;
  Command<ElementwiseArgs> command(kernel, out.dtype(), x.dtype());
  ElementwiseArgs& args = command.args;
  args.out = address_of(out);
  args.a = address_of(x);
  args.b = nullptr;
  if (x.is_contiguous()) [[likely]] {
    set_dense_loop(args, x.elements(), 0);
  } else {
    set_loop(args, x.shape(), x, nullptr);
  }
  lane.record(command, operand_of(out), operand_of(x), OperandMemory());
}

Tensor unary(KernelId kernel, const char* operation, const Tensor& x) {
  require_defined(operation, x);
  require_kernel(operation, kernel, x);
  Core& core = x.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, x.shape(), x.dtype());
  record_unary(lane, kernel, out, x);
  return out;
}

Tensor binary(KernelId kernel, const char* operation, const Tensor& a, const Tensor& b) {
  require_together(operation, a, b);
  require_kernel(operation, kernel, a);
  const bool same = a.shape() == b.shape();
  const Shape shape = same ? a.shape() : broadcast(a.shape(), b.shape(), operation);
  Core& core = a.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape, a.dtype());
  if (shape.elements() == 0) return out;
  Command<ElementwiseArgs> command(kernel, a.dtype());
  ElementwiseArgs& args = command.args;
  args.out = address_of(out);
  args.a = address_of(a);
  args.b = address_of(b);
  if (same && a.is_contiguous() && b.is_contiguous()) [[likely]] {
    set_dense_loop(args, shape.elements(), 1);
  } else {
    set_loop(args, shape, a, &b);
  }
  lane.record(command, operand_of(out), operand_of(a), operand_of(b));
  return out;
}

}  // namespace HEDDLE_NS::ops
