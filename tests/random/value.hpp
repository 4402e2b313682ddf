// Value: what a tensor must hold, computed on the host in the plainest way.
//
// Elements are small integers (or multiples of a small power of two), and an operation gives a value only where every
// way to compute it gives the same bits: each partial sum is exact in float32, and the result is exact in its type.
// Otherwise it gives none, and the program picks another operation. Thread safety: values are immutable once shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heddle/dtype.hpp"
#include "heddle/shape.hpp"
#include "random/dice.hpp"

namespace heddle::programs {

struct Value {
  Shape shape;
  Dtype dtype = Dtype::kFloat32;
  std::vector<float> elements;  // row-major
  bool known = true;            // false: the device computes nothing here (sim), only shape and type are known
};
using Known = std::shared_ptr<const Value>;
using Maybe = std::optional<Value>;

enum class Binary : unsigned char { kAdd, kSub, kMul, kDiv };

Value small_integers(Dice& dice, const Shape& shape, Dtype dtype = Dtype::kFloat32);
Value constant(const Shape& shape, float value);

Maybe relu_of(const Value& x);
Maybe cast_of(const Value& x, Dtype dtype);
Maybe binary_of(Binary kind, const Value& a, const Value& b);  // none also where the shapes do not broadcast
Maybe matmul_of(const Value& a, const Value& b);
Maybe linear_of(const Value& x, const Value& weight, const Value* bias);
Maybe sum_of(const Value& x, std::optional<std::size_t> axis, bool mean);
Value stack_of(std::span<const Value* const> parts);
Value transpose_of(const Value& x, std::size_t a, std::size_t b);
Value reshape_of(const Value& x, const Shape& shape);
// The elements that a view with these strides and offset, in elements of the contiguous `x`, shows.
Value view_of(const Value& x, const Shape& shape, const Strides& strides, std::int64_t offset);

// Empty, or where and how `found` differs from the expected elements.
std::string difference(const Value& expected, std::span<const float> found);

}  // namespace heddle::programs
