// The operations of an actor: the recorded commands and their expected results.
#include <fmt/format.h>

#include <algorithm>

#include "heddle/tensor/tensor_access.hpp"
#include "random/actor.hpp"

namespace heddle::programs {

// A slot becomes the result of an operation on it and another slot; after a random operation, of one on the first
// operand whose result has the same bits on every device.
void Actor::compute(Dice& dice) {
  Item& a = slot(dice);
  const Item& b = slot(dice);
  constexpr std::uint64_t kOperations = 8;
  const std::uint64_t first = dice.below(kOperations);
  std::optional<Item> result;
  for (std::uint64_t i = 0; i < kOperations && !result; ++i) {
    switch ((first + i) % kOperations) {
      case 0:
      case 1:
      case 2: result = elementwise(dice, a, b); break;
      case 3: result = unary(dice, a); break;
      case 4: result = product(dice, a, b); break;
      case 5: result = linear_layer(dice, a); break;
      case 6: result = reduction(dice, a); break;
      default: result = stacked(dice, a, b);
    }
  }
  if (dice.one_in(3)) {
    side().slots[dice.below(side().slots.size())] = std::move(*result);
  } else {
    a = std::move(*result);
  }
  if (a.tensor.elements() > 50'000) a = {};
}

// Small numbers of a shape that broadcasts with the shape of `of`.
Item Actor::partner(Dice& dice, const Item& of, bool divisor) {
  std::vector<std::int64_t> extents(of.value->shape.extents().begin(), of.value->shape.extents().end());
  extents.erase(extents.begin(), extents.begin() + static_cast<std::ptrdiff_t>(dice.below(extents.size() + 1)));
  for (std::int64_t& extent : extents) {
    if (dice.one_in(3)) extent = 1;
  }
  const Shape shape{std::span<const std::int64_t>(extents)};
  if (!divisor) return fresh(dice, shape, of.value->dtype);
  const float number = static_cast<float>(1 << dice.below(3)) * (dice.one_in(2) ? 1.0F : -1.0F);
  Item item = record(constant(shape, number), true, {}, [&] { return full(runtime(), shape, number); });
  if (of.value->dtype == Dtype::kFloat32) return item;
  Value narrow = *item.value;
  narrow.dtype = of.value->dtype;
  return record(std::move(narrow), false, {&item}, [&] { return cast(item.tensor, of.value->dtype); });
}

std::optional<Item> Actor::elementwise(Dice& dice, const Item& a, const Item& b) {
  const auto kind = static_cast<Binary>(dice.below(4));
  const bool swapped = dice.one_in(2) && kind != Binary::kDiv;
  Maybe value = swapped ? binary_of(kind, *b.value, *a.value) : binary_of(kind, *a.value, *b.value);
  const bool with_other = value.has_value() && value->shape.elements() <= 8000;
  const Item made = with_other ? Item() : partner(dice, a, kind == Binary::kDiv);
  const Item& other = with_other ? b : made;
  if (!with_other) value = swapped ? binary_of(kind, *made.value, *a.value) : binary_of(kind, *a.value, *made.value);
  if (!value) return std::nullopt;
  const Item& left = swapped ? other : a;
  const Item& right = swapped ? a : other;
  const bool sim = kind == Binary::kAdd && left.value->shape == right.value->shape && left.tensor.is_contiguous() &&
                   right.tensor.is_contiguous();
  return record(std::move(*value), sim, {&left, &right}, [&] {
    switch (kind) {
      case Binary::kAdd: return add(left.tensor, right.tensor);
      case Binary::kSub: return sub(left.tensor, right.tensor);
      case Binary::kMul: return mul(left.tensor, right.tensor);
      case Binary::kDiv: break;
    }
    return div(left.tensor, right.tensor);
  });
}

std::optional<Item> Actor::unary(Dice& dice, const Item& a) {
  const std::uint64_t what = dice.below(plan().half ? 4 : 2);
  const bool sim = a.tensor.is_contiguous();
  if (what == 0) return record(std::move(*relu_of(*a.value)), sim, {&a}, [&] { return relu(a.tensor); });
  if (what == 1) return record(Value(*a.value), sim, {&a}, [&] { return copy(a.tensor); });
  Maybe value = cast_of(*a.value, static_cast<Dtype>(dice.below(kDtypeCount)));
  if (!value) return std::nullopt;
  const Dtype dtype = value->dtype;
  if (dtype == a.value->dtype) {  // the same tensor
    return Item{cast(a.tensor, dtype), a.value, a.list, now_};
  }
  return record(std::move(*value), false, {&a}, [&] { return cast(a.tensor, dtype); });
}

std::optional<Item> Actor::product(Dice& dice, const Item& a, const Item& b) {
  const Shape& shape = a.value->shape;
  if (shape.rank() < 2) return std::nullopt;
  const std::uint64_t what = dice.below(3);
  Item other;
  if (what == 0) {  // with its own transpose
    other = {transpose(a.tensor),
             std::make_shared<const Value>(transpose_of(*a.value, shape.rank() - 2, shape.rank() - 1)), a.list, now_};
  } else if (what == 1) {
    other = b;
  }
  Maybe value = other.tensor.defined() ? matmul_of(*a.value, *other.value) : std::nullopt;
  if (!value) {
    const std::int64_t columns = dice.between(1, 9);
    const bool turned = dice.one_in(2);
    const std::int64_t k = shape[shape.rank() - 1];
    other = fresh(dice, turned ? Shape{columns, k} : Shape{k, columns}, a.value->dtype);
    if (turned) {
      other = {transpose(other.tensor), std::make_shared<const Value>(transpose_of(*other.value, 0, 1)), other.list,
               now_};
    }
    value = matmul_of(*a.value, *other.value);
  }
  if (!value || value->shape.elements() > 20'000) return std::nullopt;
  return record(std::move(*value), false, {&a, &other}, [&] { return matmul(a.tensor, other.tensor); });
}

std::optional<Item> Actor::linear_layer(Dice& dice, const Item& x) {
  if (x.value->shape.rank() == 0) return std::nullopt;
  const std::int64_t k = x.value->shape[x.value->shape.rank() - 1];
  const std::int64_t n = dice.between(1, 8);
  if (k > 100) return std::nullopt;
  const Item weight = fresh(dice, {n, k}, x.value->dtype);
  Item bias;
  if (dice.one_in(2)) bias = fresh(dice, {n}, x.value->dtype);
  Maybe value = linear_of(*x.value, *weight.value, bias.value.get());
  if (!value) return std::nullopt;
  if (bias.tensor.defined()) touch(bias);
  return record(std::move(*value), false, {&x, &weight}, [&] { return linear(x.tensor, weight.tensor, bias.tensor); });
}

std::optional<Item> Actor::reduction(Dice& dice, const Item& a) {
  const bool is_mean = dice.one_in(3);
  const std::uint64_t drawn = dice.draw();
  const std::size_t rank = a.value->shape.rank();
  std::optional<std::size_t> axis;
  if (rank != 0 && drawn % 3 != 0) axis = drawn % rank;
  if (a.value->dtype != Dtype::kFloat32) return std::nullopt;
  Maybe value = sum_of(*a.value, axis, is_mean);
  if (!value) return std::nullopt;
  // Counted from the front or from the end.
  const auto dim = static_cast<std::int64_t>(axis.value_or(0)) - (drawn % 2 == 0 ? 0 : static_cast<std::int64_t>(rank));
  return record(std::move(*value), false, {&a}, [&] {
    if (!axis) return is_mean ? mean(a.tensor) : sum(a.tensor);
    return is_mean ? mean(a.tensor, dim) : sum(a.tensor, dim);
  });
}

std::optional<Item> Actor::stacked(Dice& dice, const Item& a, const Item& b) {
  std::vector<const Item*> parts{&a};
  const bool together = b.value->shape == a.value->shape && b.value->dtype == a.value->dtype;
  const std::uint64_t most = dice.one_in(32) ? 70 : 3;  // more than one command takes
  for (std::uint64_t more = dice.below(most); more > 0; --more) parts.push_back(together && more % 2 == 0 ? &b : &a);
  if (a.value->shape.rank() == kMaxRank || a.value->elements.size() * parts.size() > 20'000) {
    return Item(a);  // no operation fits: the slot stays unchanged
  }
  std::vector<const Value*> values;
  std::vector<Tensor> tensors;
  bool sim = true;
  for (const Item* part : parts) {
    values.push_back(part->value.get());
    tensors.push_back(part->tensor);
    sim = sim && part->tensor.is_contiguous();
  }
  return record(stack_of(values), sim, {&a, together ? &b : &a}, [&] { return stack(tensors); });
}

void Actor::make_view(Dice& dice) {
  Item& x = slot(dice);
  const Shape& from = x.value->shape;
  const std::size_t rank = from.rank();
  const std::uint64_t what = dice.below(5);
  const std::uint64_t drawn = dice.draw();
  std::vector<std::int64_t> extents(from.extents().begin(), from.extents().end());
  if (what == 0 && rank >= 1) {
    const std::size_t a = drawn % rank;
    const std::size_t b = drawn / rank % rank;
    x = {transpose(x.tensor, static_cast<std::int64_t>(a),
                   static_cast<std::int64_t>(b) - static_cast<std::int64_t>(rank)),
         std::make_shared<const Value>(transpose_of(*x.value, a, b)), x.list, now_};
  } else if (what == 1) {  // a copy if the strides do not allow a view
    std::vector<std::int64_t> to{1, from.elements()};
    if (from.elements() % 2 == 0 && from.elements() > 0) to = {from.elements() / 2, 2};
    if (rank >= 2 && drawn % 2 == 0) to = {from[0], from[0] == 0 ? 0 : from.elements() / from[0]};
    const Shape shape{std::span<const std::int64_t>(to)};
    const ListRef made_by = x.list;
    const void* const at = x.tensor.data();
    x = record(reshape_of(*x.value, shape), x.tensor.is_contiguous(), {&x}, [&] { return reshape(x.tensor, shape); });
    if (x.tensor.data() == at) x.list = made_by;
  } else if (rank >= 1 && rank < kMaxRank) {
    const std::size_t dim = drawn % rank;
    Strides strides = x.tensor.strides();
    Strides dense = contiguous_strides(from);
    std::int64_t start = 0;
    if (what == 2 && from[dim] > 1) {  // a slice
      start = static_cast<std::int64_t>(drawn / 8 % static_cast<std::uint64_t>(from[dim]));
      extents[dim] = from[dim] - start;
    } else if (what == 3 && from[dim] > 1) {  // every second
      extents[dim] = (from[dim] + 1) / 2;
    } else if (from.elements() <= 2000) {  // repeated along a new first dimension
      extents.insert(extents.begin(), 3);
      std::copy_backward(strides.begin(), strides.end() - 1, strides.end());
      std::copy_backward(dense.begin(), dense.end() - 1, dense.end());
      strides[0] = dense[0] = 0;
    } else {
      return;
    }
    const std::int64_t offset = start * strides[dim];
    const std::int64_t in_value = start * dense[dim];
    if (what == 3 && from[dim] > 1) strides[dim] *= 2, dense[dim] *= 2;
    const Shape shape{std::span<const std::int64_t>(extents)};
    x = {view_of(x.tensor, shape, strides, offset),
         std::make_shared<const Value>(view_of(*x.value, shape, dense, in_value)), x.list, now_};
  }
}

}  // namespace heddle::programs
