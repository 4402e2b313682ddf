// Value: the expected contents of a tensor, computed on the host in the simplest way.
//
// Elements are small integers (or multiples of a small power of two). An operation gives a value only if every way to
// compute it gives the same bits: each partial sum is exact in float32, and the result is exact in its type. Otherwise
// it gives none, and the program picks another operation. Thread safety: values are immutable once shared.
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
  bool known = true;            // false: the device computes nothing here (sim), and only shape and type are known
};
using Known = std::shared_ptr<const Value>;
using Maybe = std::optional<Value>;

enum class Binary : unsigned char { kAdd, kSub, kMul, kDiv };

Value small_integers(Dice& dice, const Shape& shape, Dtype dtype = Dtype::kFloat32);
Value constant(const Shape& shape, float value);

Maybe relu_of(const Value& x);
Maybe cast_of(const Value& x, Dtype dtype);
Maybe binary_of(Binary kind, const Value& a, const Value& b);  // empty too if the shapes do not broadcast
Maybe matmul_of(const Value& a, const Value& b);
Maybe linear_of(const Value& x, const Value& weight, const Value* bias);
Maybe sum_of(const Value& x, std::optional<std::size_t> axis, bool mean);
Value stack_of(std::span<const Value* const> parts);
Value transpose_of(const Value& x, std::size_t a, std::size_t b);
Value reshape_of(const Value& x, const Shape& shape);
// The elements of a view with these strides and offset, in elements of the contiguous `x`.
Value view_of(const Value& x, const Shape& shape, const Strides& strides, std::int64_t offset);

// Empty, or the place and size of the difference between `found` and the expected elements.
std::string difference(const Value& expected, std::span<const float> found);

}  // namespace heddle::programs
