#include <fmt/format.h>

#include <algorithm>
#include "heddle/error.hpp"
#include "heddle/ops.hpp"
#include "heddle/ops/linear/matrix.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {
namespace {

using ops::MatrixOperand;

[[noreturn]] void throw_shapes(const Tensor& a, const Tensor& b, const char* why) {
  throw InvalidArgument(fmt::format("matmul: shapes {} and {}: {}", a.shape().text(), b.shape().text(), why));
}

// The leading dimensions: which matrices of `a` and `b` meet. Outermost first; neighbours that one stride covers
// merged.
struct Batches {
  struct Dim {
    std::int64_t extent, a_stride, b_stride;
  };
  std::array<Dim, kMaxRank> dims{};
  std::size_t rank = 0;
};

// The result's shape: broadcast leading dimensions, then m, n.
Shape result_shape(const Tensor& a, const Tensor& b, std::int64_t m, std::int64_t n) {
  const Shape& in_a = a.shape();
  const Shape& in_b = b.shape();
  if (in_a.rank() == 2 && in_b.rank() == 2) return Shape{m, n};
  const std::size_t rank = std::max(in_a.rank(), in_b.rank());
  std::array<std::int64_t, kMaxRank> extents{};
  for (std::size_t back = 3; back <= rank; ++back) {
    const std::int64_t from_a = back <= in_a.rank() ? in_a[in_a.rank() - back] : 1;
    const std::int64_t from_b = back <= in_b.rank() ? in_b[in_b.rank() - back] : 1;
    if (from_a != from_b && from_a != 1 && from_b != 1) throw_shapes(a, b, "their leading dimensions do not broadcast");
    extents[rank - back] = from_a == 1 ? from_b : from_a;
  }
  extents[rank - 2] = m;
  extents[rank - 1] = n;
  return Shape(std::span<const std::int64_t>(extents.data(), rank));
}

Batches merge_batches(const Shape& out, const Tensor& a, const Tensor& b) noexcept {
  Batches result;
  for (std::size_t dim = 0; dim + 2 < out.rank(); ++dim) {
    if (out[dim] == 1) continue;
    const Batches::Dim next{out[dim], ops::broadcast_stride(a, dim, out.rank()),
                            ops::broadcast_stride(b, dim, out.rank())};
    if (result.rank > 0) {
      Batches::Dim& outer = result.dims[result.rank - 1];
      if (outer.a_stride == next.a_stride * next.extent && outer.b_stride == next.b_stride * next.extent) {
        outer = {outer.extent * next.extent, next.a_stride, next.b_stride};
        continue;
      }
    }
    result.dims[result.rank++] = next;
  }
  return result;
}

// Everything but the batches. Addresses are those of the first matrices.
Command<MatmulArgs> matrix_command(const MatrixOperand& left, const MatrixOperand& right, const Tensor& out) noexcept {
  const Tensor& a = left.tensor();
  const Tensor& b = right.tensor();
  Command<MatmulArgs> command(KernelId::kMatmul, MatmulArgs{}, out.dtype());
  MatmulArgs& args = command.args;
  args.a = address_of(a);
  args.b = address_of(b);
  args.out = address_of(out);
  args.m = a.shape()[a.shape().rank() - 2];
  args.k = a.shape()[a.shape().rank() - 1];
  args.n = b.shape()[b.shape().rank() - 1];
  args.batch = 1;
  args.lda = left.layout().ld;
  args.ldb = right.layout().ld;
  args.transpose_a = left.layout().transposed ? 1 : 0;
  args.transpose_b = right.layout().transposed ? 1 : 0;
  return command;
}

// Adds the batches. One matrix b for matrices of a that follow one another is a single, taller product.
// Returns how many of the dimensions, from the outermost on, take one command per index.
std::size_t set_batches(MatmulArgs& args, const Batches& batches) noexcept {
  if (batches.rank == 0) return 0;
  const Batches::Dim& inner = batches.dims[batches.rank - 1];
  if (inner.b_stride == 0 && args.transpose_a == 0 && inner.a_stride == args.m * args.lda) {
    args.m *= inner.extent;
  } else {
    args.batch = inner.extent;
    args.a_batch_stride = inner.a_stride;
    args.b_batch_stride = inner.b_stride;
  }
  return batches.rank - 1;
}

// One command for each index of the `outer` outermost batch dimensions.
void record(Lane& lane, const Tensor& a, const Tensor& b, const Tensor& out, const Tensor& workspace,
            Command<MatmulArgs>& command, const Batches& batches, std::size_t outer) {
  MatmulArgs& args = command.args;
  std::array<std::int64_t, kMaxRank> index{};
  const std::int64_t out_step = args.batch * args.m * args.n;
  for (std::int64_t number = 0;; ++number) {
    std::int64_t a_offset = 0;
    std::int64_t b_offset = 0;
    for (std::size_t dim = 0; dim < outer; ++dim) {
      a_offset += index[dim] * batches.dims[dim].a_stride;
      b_offset += index[dim] * batches.dims[dim].b_stride;
    }
    args.a = address_of(a, a_offset);
    args.b = address_of(b, b_offset);
    args.out = address_of(out, number * out_step);
    lane.record(command, operand_of(a), operand_of(b), OperandMemory(), operand_of(out), operand_of(workspace));

    std::size_t dim = outer;
    while (dim > 0 && ++index[dim - 1] == batches.dims[dim - 1].extent) index[--dim] = 0;
    if (dim == 0) return;
  }
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  ops::require_together("matmul", a, b);
  ops::require_kernel("matmul", KernelId::kMatmul, a);
  const Shape& in_a = a.shape();
  const Shape& in_b = b.shape();
  if (in_a.rank() < 2 || in_b.rank() < 2) [[unlikely]]
    throw_shapes(a, b, "both need two dimensions at least");
  const std::int64_t m = in_a[in_a.rank() - 2];
  const std::int64_t n = in_b[in_b.rank() - 1];
  if (in_a[in_a.rank() - 1] != in_b[in_b.rank() - 2]) [[unlikely]] {
    throw_shapes(a, b, "the last extent of the first must be the last but one of the second");
  }
  const Shape shape = result_shape(a, b, m, n);
  Core& core = a.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape, a.dtype());
  if (shape.elements() == 0) return out;

  const MatrixOperand left(core, lane, a);
  const MatrixOperand right(core, lane, b);
  Command<MatmulArgs> command = matrix_command(left, right, out);
  MatmulArgs& args = command.args;
  const Batches batches = shape.rank() == 2 ? Batches{} : merge_batches(shape, left.tensor(), right.tensor());
  const std::size_t outer = set_batches(args, batches);
  const Tensor workspace = ops::scratch(core, lane, core.device().workspace_bytes(command.view()));
  if (workspace.defined()) args.workspace = address_of(workspace);
  if (left.is_copy() || right.is_copy()) [[unlikely]] {
    ops::order_after_all(lane, a, b);  // throws before anything is recorded
    left.record(lane);
    right.record(lane);
  }
  record(lane, left.tensor(), right.tensor(), out, workspace, command, batches, outer);
  return out;
}

}  // namespace HEDDLE_NS
