#include <fmt/format.h>

#include <utility>
#include "heddle/error.hpp"
#include "heddle/ops.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {

Tensor transpose(const Tensor& x) {
  ops::require_defined("transpose", x);
  if (x.shape().rank() < 2) [[unlikely]] {
    throw InvalidArgument(fmt::format("transpose: shape {} has fewer than two dimensions", x.shape().text()));
  }
  return transpose(x, -2, -1);
}

Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b) {
  ops::require_defined("transpose", x);
  const Shape& shape = x.shape();
  const std::size_t first = ops::resolve_axis("transpose", shape, a);
  const std::size_t second = ops::resolve_axis("transpose", shape, b);
  std::array<std::int64_t, kMaxRank> extents{};
  for (std::size_t dim = 0; dim < shape.rank(); ++dim) extents[dim] = shape[dim];
  Strides strides = x.strides();
  std::swap(extents[first], extents[second]);
  std::swap(strides[first], strides[second]);
  return view_of(x, Shape(std::span<const std::int64_t>(extents.data(), shape.rank())), strides);
}

}  // namespace HEDDLE_NS
