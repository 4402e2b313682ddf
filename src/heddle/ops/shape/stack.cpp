#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>
#include "heddle/error.hpp"
#include "heddle/ops.hpp"
#include "heddle/ops/elementwise/elementwise.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {
namespace {

void require_stackable(std::span<const Tensor> tensors) {
  if (tensors.empty()) throw InvalidArgument("stack: no tensors were given; give one at least");
  ops::require_defined("stack", tensors[0]);
  ops::require_kernel("stack", KernelId::kStack, tensors[0]);
  const Shape& shape = tensors[0].shape();
  if (shape.rank() == kMaxRank) {
    throw InvalidArgument(
        fmt::format("stack: shape {} has {} dimensions already, the most that there are", shape.text(), kMaxRank));
  }
  for (const Tensor& tensor : tensors.subspan(1)) {
    ops::require_together("stack", tensors[0], tensor);
    if (tensor.shape() == shape) continue;
    throw InvalidArgument(
        fmt::format("stack: shapes {} and {}; all must be equal", shape.text(), tensor.shape().text()));
  }
}

Shape stacked_shape(const Shape& shape, std::size_t count) {
  std::array<std::int64_t, kMaxRank> extents{static_cast<std::int64_t>(count)};
  std::copy(shape.extents().begin(), shape.extents().end(), extents.begin() + 1);
  return Shape(std::span<const std::int64_t>(extents.data(), shape.rank() + 1));
}

}  // namespace

Tensor stack(std::span<const Tensor> tensors) {
  require_stackable(tensors);
  Core& core = tensors[0].core();
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  const Dtype dtype = tensors[0].dtype();
  Tensor out = allocate_tensor(core, lane, stacked_shape(tensors[0].shape(), tensors.size()), dtype);
  if (out.elements() == 0) return out;
  std::vector<Tensor> dense;  // what the kernel reads: the tensors, copied where they are views
  dense.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    dense.push_back(tensor.is_contiguous() ? tensor : allocate_tensor(core, lane, tensor.shape(), dtype));
  }
  for (const Tensor& tensor : tensors) lane.order_after(operand_of(tensor));  // throws before anything is recorded
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].is_contiguous()) ops::record_unary(lane, KernelId::kCopy, dense[i], tensors[i]);
  }
  Command<StackArgs> command(KernelId::kStack, dtype);
  StackArgs& args = command.args;
  const OperandMemory written = operand_of(out);
  std::array<OperandMemory, kStackMost> read;
  const auto elements = tensors[0].elements();
  args.bytes = static_cast<std::uint64_t>(elements) * size_of(dtype);
  for (std::size_t first = 0; first < dense.size(); first += kStackMost) {
    args.out = address_of(out, static_cast<std::int64_t>(first) * elements);
    args.count = std::min(kStackMost, dense.size() - first);
    for (std::size_t i = 0; i < args.count; ++i) {
      args.in[i] = address_of(dense[first + i]);
      read[i] = operand_of(dense[first + i]);
    }
    lane.record(command, Kept(), std::span(read).first(args.count), {&written, 1});
  }
  return out;
}

}  // namespace HEDDLE_NS
