#include "heddle/shape.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "heddle/error.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::int64_t kElementsBelow = std::int64_t{1} << 48;

[[noreturn]] void throw_bad_shape(std::span<const std::int64_t> extents, const char* why) {
  throw InvalidArgument(fmt::format("shape [{}]: {}", fmt::join(extents, ", "), why));
}

}  // namespace

Shape::Shape(std::initializer_list<std::int64_t> extents)
    : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const std::int64_t> extents) {
  if (extents.size() > kMaxRank) [[unlikely]]
    throw_bad_shape(extents, "more than 6 dimensions");
  static_assert(kMaxRank == 6, "the text above names the bound");
  // The bound counts an extent of 0 as 1, so that the strides of an empty shape cannot overflow either.
  std::int64_t span = 1;
  for (std::size_t dim = 0; dim < extents.size(); ++dim) {
    const std::int64_t extent = extents[dim];
    if (extent < 0) [[unlikely]]
      throw_bad_shape(extents, "an extent is negative");
    const std::int64_t factor = std::max<std::int64_t>(extent, 1);
    // The first test saves the division for extents and products of everyday size.
    const bool small = (span | factor) < (std::int64_t{1} << 24);
    if (!small && factor > (kElementsBelow - 1) / span) [[unlikely]]
      throw_bad_shape(extents, "2^48 elements or more");
    span *= factor;
    elements_ *= extent;
    extents_[dim] = extent;
  }
  rank_ = extents.size();
}

std::string Shape::text() const { return fmt::format("[{}]", fmt::join(extents(), ", ")); }

Strides contiguous_strides(const Shape& shape) noexcept {
  Strides strides{};
  std::int64_t stride = 1;
  for (std::size_t dim = shape.rank(); dim-- > 0;) {
    strides[dim] = stride;
    stride *= std::max<std::int64_t>(shape[dim], 1);
  }
  return strides;
}

Shape broadcast(const Shape& a, const Shape& b, const char* operation) {
  if (a == b) return a;
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, kMaxRank> extents{};
  for (std::size_t back = 1; back <= rank; ++back) {
    const std::int64_t in_a = back <= a.rank() ? a[a.rank() - back] : 1;
    const std::int64_t in_b = back <= b.rank() ? b[b.rank() - back] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) [[unlikely]] {
      throw InvalidArgument(
          fmt::format("{}: shapes {} and {} do not broadcast: aligned at the right, extents {} and {} "
                      "differ and neither is 1",
                      operation, a.text(), b.text(), in_a, in_b));
    }
    extents[rank - back] = in_a == 1 ? in_b : in_a;
  }
  return Shape(std::span<const std::int64_t>(extents.data(), rank));
}

}  // namespace HEDDLE_NS
