#include <fmt/format.h>

#include "heddle/error.hpp"
#include "heddle/ops.hpp"
#include "heddle/ops/linear/matrix.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {
namespace {

[[noreturn]] void throw_shapes(const Tensor& x, const Tensor& weight, const Tensor& bias, const char* why) {
  throw InvalidArgument(fmt::format("linear: shapes {}, weight {}, bias {}: {}", x.shape().text(),
                                    weight.shape().text(), bias.defined() ? bias.shape().text() : "none", why));
}

void require_shapes(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Shape& in = x.shape();
  if (weight.shape().rank() != 2) throw_shapes(x, weight, bias, "the weight must have two dimensions");
  if (in.rank() == 0) throw_shapes(x, weight, bias, "the input must have a dimension");
  if (in[in.rank() - 1] != weight.shape()[1]) {
    throw_shapes(x, weight, bias, "the last extents of input and weight must be equal");
  }
  if (bias.defined() && (bias.shape().rank() != 1 || bias.shape()[0] != weight.shape()[0])) {
    throw_shapes(x, weight, bias, "the bias must have as many elements as the weight has rows");
  }
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  ops::require_together("linear", x, weight);
  if (bias.defined()) ops::require_together("linear", x, bias);
  ops::require_kernel("linear", KernelId::kMatmul, x);
  require_shapes(x, weight, bias);
  const Shape& in = x.shape();
  const std::int64_t k = weight.shape()[1];
  const std::int64_t n = weight.shape()[0];
  std::array<std::int64_t, kMaxRank> extents{};
  std::int64_t rows = 1;
  for (std::size_t dim = 0; dim + 1 < in.rank(); ++dim) rows *= extents[dim] = in[dim];
  extents[in.rank() - 1] = n;
  const Shape shape(std::span<const std::int64_t>(extents.data(), in.rank()));

  Core& core = x.core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor out = allocate_tensor(core, lane, shape, x.dtype());
  if (shape.elements() == 0) return out;

  // x as one matrix, all dimensions but the last being rows: as it lies where its strides allow, else dense.
  ops::MatrixLayout rows_of_x = in.rank() == 2 ? ops::matrix_layout(x) : ops::MatrixLayout{};
  const ops::DenseOperand input(core, lane, x, rows_of_x.valid || x.is_contiguous());
  if (!rows_of_x.valid) rows_of_x = ops::matrix_layout(rows, k, k, 1);
  const ops::MatrixOperand matrix(core, lane, weight);
  const ops::MatrixLayout& stored = matrix.layout();
  Command<MatmulArgs> command(KernelId::kMatmul, MatmulArgs{}, x.dtype());
  MatmulArgs& args = command.args;
  args.a = address_of(input.tensor());
  args.b = address_of(matrix.tensor());
  args.out = address_of(out);
  args.m = rows;
  args.n = n;
  args.k = k;
  args.batch = 1;
  args.lda = rows_of_x.ld;
  args.ldb = stored.ld;
  args.transpose_a = rows_of_x.transposed ? 1 : 0;
  args.transpose_b = stored.transposed ? 0 : 1;  // the product takes the weight's transpose
  const ops::DenseOperand row(core, lane, bias);
  if (bias.defined()) args.bias = address_of(row.tensor());
  const Tensor workspace = ops::scratch(core, lane, core.device().workspace_bytes(command.view()));
  if (workspace.defined()) args.workspace = address_of(workspace);

  if (input.is_copy() || matrix.is_copy() || row.is_copy()) [[unlikely]] {
    ops::order_after_all(lane, x, weight, bias);  // throws before anything is recorded
    input.record(lane);
    matrix.record(lane);
    row.record(lane);
  }
  lane.record(command, operand_of(input.tensor()), operand_of(matrix.tensor()), operand_of(row.tensor()),
              operand_of(out), operand_of(workspace));
  return out;
}

}  // namespace HEDDLE_NS
