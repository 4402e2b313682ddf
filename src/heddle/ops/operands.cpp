#include "heddle/ops/operands.hpp"

#include <fmt/format.h>

#include <bit>
#include "heddle/error.hpp"

namespace HEDDLE_NS::ops {

void throw_undefined(const char* operation) {
  throw InvalidArgument(
      fmt::format("{}: an operand is an undefined tensor (default-constructed or moved from)", operation));
}

void throw_two_runtimes(const char* operation, const Tensor& a, const Tensor& b) {
  throw InvalidArgument(
      fmt::format("{}: operands of shapes {} and {} belong to two runtimes; copy one through the host "
                  "(to_host, from_host)",
                  operation, a.shape().text(), b.shape().text()));
}

void throw_two_dtypes(const char* operation, const Tensor& a, const Tensor& b) {
  throw InvalidArgument(fmt::format("{}: operands of types {} and {}; cast() one of them", operation,
                                    name_of(a.dtype()), name_of(b.dtype())));
}

void require_kernel(const char* operation, const Core& core, KernelId kernel, Dtype dtype) {
  if (core.device().supports(kernel, dtype)) return;
  throw Unsupported(fmt::format("{}: the {} device has no {} kernel for {}; cast() the operands to float32", operation,
                                core.device().info().backend, kernel_name(kernel), name_of(dtype)));
}

std::size_t resolve_axis(const char* operation, const Shape& shape, std::int64_t dim) {
  const auto rank = static_cast<std::int64_t>(shape.rank());
  if (dim >= rank || dim < -rank) [[unlikely]] {
    const std::string allowed =
        rank == 0 ? std::string("a scalar has no dimensions") : fmt::format("allowed are {} to {}", -rank, rank - 1);
    throw InvalidArgument(
        fmt::format("{}: dimension {} is out of range for shape {}; {}", operation, dim, shape.text(), allowed));
  }
  return static_cast<std::size_t>(dim < 0 ? dim + rank : dim);
}

Tensor scratch(Core& core, Lane& lane, std::size_t bytes) {
  if (bytes == 0) [[likely]]
    return {};
  return allocate_tensor(core, lane, Shape{static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float))});
}

void record_fill(Lane& lane, const Tensor& out, float value) {
  Command<FillArgs> command(KernelId::kFill);
  command.args = {address_of(out), static_cast<std::uint64_t>(out.elements()), std::bit_cast<std::uint32_t>(value)};
  lane.record(command, operand_of(out));
}

}  // namespace HEDDLE_NS::ops
