// Shape: the extents of a tensor, outermost first; a value. Rank 0 is a scalar. An extent of 0 makes a tensor empty.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/limits.hpp"

namespace HEDDLE_NS {

class HEDDLE_API Shape {
 public:
  Shape() noexcept = default;
  // Throws InvalidArgument for a negative extent, more than kMaxRank dimensions, or 2^48 elements and more.
  Shape(std::initializer_list<std::int64_t> extents);
  explicit Shape(std::span<const std::int64_t> extents);

  std::size_t rank() const noexcept { return rank_; }
  std::int64_t operator[](std::size_t dim) const noexcept { return extents_[dim]; }
  std::int64_t elements() const noexcept { return elements_; }
  std::span<const std::int64_t> extents() const noexcept { return {extents_.data(), rank_}; }
  // "[2, 3]"
  std::string text() const;
  friend bool operator==(const Shape& a, const Shape& b) noexcept {
    return a.rank_ == b.rank_ && a.extents_ == b.extents_;
  }

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  std::size_t rank_ = 0;
  std::int64_t elements_ = 1;
};

// Elements between neighbours along each dimension.
using Strides = std::array<std::int64_t, kMaxRank>;
HEDDLE_API Strides contiguous_strides(const Shape& shape) noexcept;

// The shape that `a` and `b` broadcast to (right-aligned; extents equal or 1); throws InvalidArgument naming
// `operation` and both.
HEDDLE_API Shape broadcast(const Shape& a, const Shape& b, const char* operation);

}  // namespace HEDDLE_NS
