#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include "heddle/error.hpp"
#include "heddle/ops.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {
namespace {

[[noreturn]] void throw_mismatch(const Shape& from, std::span<const std::int64_t> to, const char* why) {
  throw InvalidArgument(fmt::format("reshape: shape {} cannot become [{}]: {}", from.text(), fmt::join(to, ", "), why));
}

// The strides that show `x` as `shape` without a copy; nothing where there are none.
// Walks both shapes from the inside: a run of dimensions of `x` that one stride covers may be split and merged freely.
std::optional<Strides> view_strides(const Tensor& x, const Shape& shape) noexcept {
  if (shape.elements() == 0) return contiguous_strides(shape);
  Strides strides{};
  const Shape& from = x.shape();
  std::size_t to_dim = shape.rank();
  std::size_t dim = from.rank();
  while (dim > 0) {
    if (from[dim - 1] == 1) {
      --dim;
      continue;
    }
    const std::int64_t step = x.strides()[dim - 1];
    std::int64_t run = from[--dim];
    while (dim > 0 && (from[dim - 1] == 1 || x.strides()[dim - 1] == run * step)) run *= from[--dim];
    std::int64_t covered = 1;
    while (to_dim > 0 && covered < run) {
      strides[to_dim - 1] = covered * step;
      covered *= shape[--to_dim];
    }
    if (covered != run) return std::nullopt;
  }
  // What is left has extent 1: any stride will do.
  while (to_dim > 0) strides[--to_dim] = 1;
  return strides;
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  ops::require_defined("reshape", x);
  if (shape.elements() != x.elements()) [[unlikely]] {
    throw_mismatch(x.shape(), shape.extents(), "the numbers of elements differ");
  }
  if (x.is_contiguous()) return view_of(x, shape, contiguous_strides(shape));
  if (const std::optional<Strides> strides = view_strides(x, shape)) return view_of(x, shape, *strides);
  return view_of(copy(x), shape, contiguous_strides(shape));
}

Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> extents) {
  ops::require_defined("reshape", x);
  const std::span<const std::int64_t> given(extents.begin(), extents.size());
  for (const std::int64_t extent : given) {
    if (extent < -1) throw_mismatch(x.shape(), given, "an extent is negative");
  }
  const auto open = std::find(given.begin(), given.end(), -1);
  if (open == given.end()) return reshape(x, Shape(given));

  if (given.size() > kMaxRank) throw_mismatch(x.shape(), given, "it has too many dimensions");
  std::array<std::int64_t, kMaxRank> filled{};
  std::copy(given.begin(), given.end(), filled.begin());
  std::int64_t& unknown = filled[static_cast<std::size_t>(open - given.begin())];
  unknown = 1;
  const std::span<const std::int64_t> known(filled.data(), given.size());
  if (std::find(known.begin(), known.end(), -1) != known.end()) {
    throw_mismatch(x.shape(), given, "only one extent may be -1");
  }
  const std::int64_t others = Shape(known).elements();
  if (others == 0) throw_mismatch(x.shape(), given, "next to an extent of 0, -1 could be anything");
  if (x.elements() % others != 0) throw_mismatch(x.shape(), given, "the other extents do not divide the elements");
  unknown = x.elements() / others;
  return reshape(x, Shape(known));
}

}  // namespace HEDDLE_NS
