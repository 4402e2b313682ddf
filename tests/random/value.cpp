#include "random/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace heddle::programs {
namespace {

constexpr std::int64_t kMostProducts = 1 << 18;  // per matrix product, so that the model stays fast

int digits(Dtype dtype) { return dtype == Dtype::kFloat32 ? 24 : dtype == Dtype::kFloat16 ? 11 : 8; }

// A number that the type represents, far from its limits, and a multiple of 2^-8.
bool exact(double value, Dtype dtype) {
  if (value == 0) return true;
  int exponent = 0;
  const double scaled = std::ldexp(std::frexp(value, &exponent), digits(dtype));
  return std::abs(value) <= std::ldexp(1.0, digits(dtype)) && scaled == std::floor(scaled) &&
         value * 256 == std::floor(value * 256);
}

bool all_exact(const Value& x) {
  return std::all_of(x.elements.begin(), x.elements.end(), [&](float value) { return exact(value, x.dtype); });
}

bool integers(const Value& x) {
  return std::all_of(x.elements.begin(), x.elements.end(), [](float value) { return value == std::floor(value); });
}

// Sums of terms whose magnitudes add up to `magnitude` are exact in float32, in any order.
bool sums_exact(double magnitude, bool of_integers) { return magnitude < (of_integers ? 0x1p23 : 0x1p7); }

Maybe if_exact(Value&& value) {
  if (!value.known || all_exact(value)) return std::move(value);
  return std::nullopt;
}

Value like(const Shape& shape, Dtype dtype, bool known) {
  return {shape, dtype, std::vector<float>(static_cast<std::size_t>(shape.elements())), known};
}

// The row-major position in `x` of the element that broadcasts to `index`.
std::size_t position_of(std::span<const std::int64_t> index, const Shape& x) {
  const std::size_t missing = index.size() - x.rank();
  std::int64_t position = 0;
  for (std::size_t dim = 0; dim < x.rank(); ++dim) {
    position = position * x[dim] + (x[dim] == 1 ? 0 : index[dim + missing]);
  }
  return static_cast<std::size_t>(position);
}

// Calls body(position, index) for each element of `shape`, in row-major order.
template <class Body>
void for_each(const Shape& shape, const Body& body) {
  std::array<std::int64_t, kMaxRank> index{};
  for (std::int64_t position = 0; position < shape.elements(); ++position) {
    body(static_cast<std::size_t>(position), std::span<const std::int64_t>(index.data(), shape.rank()));
    for (std::size_t dim = shape.rank(); dim-- > 0;) {
      if (++index[dim] < shape[dim]) break;
      index[dim] = 0;
    }
  }
}

Shape without(const Shape& shape, std::size_t axis) {
  std::vector<std::int64_t> kept(shape.extents().begin(), shape.extents().end());
  kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(axis));
  return Shape(std::span<const std::int64_t>(kept));
}

std::optional<Shape> broadcast_or_none(const Shape& a, const Shape& b) {
  std::array<std::int64_t, kMaxRank> extents{};
  const std::size_t rank = std::max(a.rank(), b.rank());
  for (std::size_t back = 1; back <= rank; ++back) {
    const std::int64_t in_a = back <= a.rank() ? a[a.rank() - back] : 1;
    const std::int64_t in_b = back <= b.rank() ? b[b.rank() - back] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) return std::nullopt;
    extents[rank - back] = in_a == 1 ? in_b : in_a;
  }
  return Shape(std::span<const std::int64_t>(extents.data(), rank));
}

}  // namespace

Value small_integers(Dice& dice, const Shape& shape, Dtype dtype) {
  Value value = like(shape, dtype, true);
  const std::int64_t most = dtype == Dtype::kFloat32 ? 4 : 2;
  for (float& element : value.elements) element = static_cast<float>(dice.between(-most, most));
  return value;
}

Value constant(const Shape& shape, float value) {
  Value result = like(shape, Dtype::kFloat32, true);
  std::fill(result.elements.begin(), result.elements.end(), value);
  return result;
}

Maybe relu_of(const Value& x) {
  Value result = x;
  for (float& element : result.elements) element = std::max(element, 0.0F);
  return result;
}

Maybe cast_of(const Value& x, Dtype dtype) {
  Value result = x;
  result.dtype = dtype;
  return if_exact(std::move(result));
}

Maybe binary_of(Binary kind, const Value& a, const Value& b) {
  if (a.dtype != b.dtype) return std::nullopt;
  const std::optional<Shape> shape = broadcast_or_none(a.shape, b.shape);
  if (!shape) return std::nullopt;
  Value result = like(*shape, a.dtype, a.known && b.known);
  if (!result.known) return result;
  bool is_exact = true;
  for_each(*shape, [&](std::size_t at, std::span<const std::int64_t> index) {
    const double x = a.elements[position_of(index, a.shape)];
    const double y = b.elements[position_of(index, b.shape)];
    double found = 0;
    switch (kind) {
      case Binary::kAdd: found = x + y; break;
      case Binary::kSub: found = x - y; break;
      case Binary::kMul: found = x * y; break;
      case Binary::kDiv:
        found = y == 0 ? HUGE_VAL : x / y;
        is_exact = is_exact && found * y == x;
        break;
    }
    is_exact = is_exact && exact(found, a.dtype);
    result.elements[at] = static_cast<float>(found);
  });
  if (!is_exact) return std::nullopt;
  return result;
}

Maybe matmul_of(const Value& a, const Value& b) {
  if (a.dtype != b.dtype || a.shape.rank() < 2 || b.shape.rank() < 2) return std::nullopt;
  const auto leading = [](const Shape& shape) { return Shape(shape.extents().first(shape.rank() - 2)); };
  const Shape lead_a = leading(a.shape);
  const Shape lead_b = leading(b.shape);
  const std::int64_t m = a.shape[a.shape.rank() - 2];
  const std::int64_t k = a.shape[a.shape.rank() - 1];
  const std::int64_t n = b.shape[b.shape.rank() - 1];
  const std::optional<Shape> lead = broadcast_or_none(lead_a, lead_b);
  if (!lead || b.shape[b.shape.rank() - 2] != k || lead->elements() * m * n * k > kMostProducts) return std::nullopt;
  std::vector<std::int64_t> extents(lead->extents().begin(), lead->extents().end());
  extents.insert(extents.end(), {m, n});
  Value result = like(Shape(std::span<const std::int64_t>(extents)), a.dtype, a.known && b.known);
  if (!result.known) return result;
  const bool of_integers = integers(a) && integers(b);
  bool is_exact = true;
  for_each(*lead, [&](std::size_t batch, std::span<const std::int64_t> index) {
    const float* left = a.elements.data() + position_of(index, lead_a) * static_cast<std::size_t>(m * k);
    const float* right = b.elements.data() + position_of(index, lead_b) * static_cast<std::size_t>(k * n);
    float* out = result.elements.data() + batch * static_cast<std::size_t>(m * n);
    for (std::int64_t row = 0; row < m; ++row) {
      for (std::int64_t column = 0; column < n; ++column) {
        double sum = 0;
        double magnitude = 0;
        for (std::int64_t i = 0; i < k; ++i) {
          const double term = static_cast<double>(left[row * k + i]) * static_cast<double>(right[i * n + column]);
          sum += term;
          magnitude += std::abs(term);
        }
        is_exact = is_exact && sums_exact(magnitude, of_integers) && exact(sum, a.dtype);
        *out++ = static_cast<float>(sum);
      }
    }
  });
  if (!is_exact) return std::nullopt;
  return result;
}

Maybe linear_of(const Value& x, const Value& weight, const Value* bias) {
  if (x.shape.rank() == 0 || weight.shape.rank() != 2) return std::nullopt;
  std::vector<std::int64_t> extents(x.shape.extents().begin(), x.shape.extents().end());
  const std::int64_t k = extents.back();
  const std::int64_t rows = k == 0 ? 0 : x.shape.elements() / k;
  if (k == 0) return std::nullopt;
  Maybe product = matmul_of(reshape_of(x, Shape{rows, k}), transpose_of(weight, 0, 1));
  if (product && bias != nullptr) product = binary_of(Binary::kAdd, *product, *bias);
  if (!product) return std::nullopt;
  extents.back() = weight.shape[0];
  return reshape_of(*product, Shape(std::span<const std::int64_t>(extents)));
}

Maybe sum_of(const Value& x, std::optional<std::size_t> axis, bool mean) {
  const Shape shape = axis ? without(x.shape, *axis) : Shape();
  const std::int64_t count = axis ? x.shape[*axis] : x.shape.elements();
  if (mean && count == 0) return std::nullopt;
  Value result = like(shape, x.dtype, x.known);
  if (!result.known) return result;
  std::vector<double> sums(result.elements.size());
  std::vector<double> magnitudes(sums.size());
  for_each(x.shape, [&](std::size_t at, std::span<const std::int64_t> index) {
    std::vector<std::int64_t> kept(index.begin(), index.end());
    if (axis) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(*axis));
    const std::size_t to = axis ? position_of(kept, shape) : 0;
    sums[to] += x.elements[at];
    magnitudes[to] += std::abs(x.elements[at]);
  });
  const bool of_integers = integers(x);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double found = mean ? sums[i] / static_cast<double>(count) : sums[i];
    if (!sums_exact(magnitudes[i], of_integers) || !exact(found, x.dtype)) return std::nullopt;
    if (mean && found * static_cast<double>(count) != sums[i]) return std::nullopt;
    result.elements[i] = static_cast<float>(found);
  }
  return result;
}

Value stack_of(std::span<const Value* const> parts) {
  std::vector<std::int64_t> extents{static_cast<std::int64_t>(parts.size())};
  extents.insert(extents.end(), parts[0]->shape.extents().begin(), parts[0]->shape.extents().end());
  Value result{Shape(std::span<const std::int64_t>(extents)), parts[0]->dtype, {}, true};
  for (const Value* part : parts) {
    result.elements.insert(result.elements.end(), part->elements.begin(), part->elements.end());
    result.known = result.known && part->known;
  }
  return result;
}

Value transpose_of(const Value& x, std::size_t a, std::size_t b) {
  std::vector<std::int64_t> extents(x.shape.extents().begin(), x.shape.extents().end());
  std::swap(extents[a], extents[b]);
  Value result = like(Shape(std::span<const std::int64_t>(extents)), x.dtype, x.known);
  for_each(result.shape, [&](std::size_t at, std::span<const std::int64_t> index) {
    std::vector<std::int64_t> source(index.begin(), index.end());
    std::swap(source[a], source[b]);
    result.elements[at] = x.elements[position_of(source, x.shape)];
  });
  return result;
}

Value reshape_of(const Value& x, const Shape& shape) { return {shape, x.dtype, x.elements, x.known}; }

Value view_of(const Value& x, const Shape& shape, const Strides& strides, std::int64_t offset) {
  Value result = like(shape, x.dtype, x.known);
  for_each(shape, [&](std::size_t at, std::span<const std::int64_t> index) {
    std::int64_t from = offset;
    for (std::size_t dim = 0; dim < index.size(); ++dim) from += index[dim] * strides[dim];
    result.elements[at] = x.elements[static_cast<std::size_t>(from)];
  });
  return result;
}

std::string difference(const Value& expected, std::span<const float> found) {
  if (found.size() != expected.elements.size()) {
    return fmt::format("{} elements for shape {}", found.size(), expected.shape.text());
  }
  if (!expected.known) return {};
  std::size_t wrong = 0;
  std::string first;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == expected.elements[i]) continue;
    if (wrong++ == 0) first = fmt::format("element {}: {}, expected {}", i, found[i], expected.elements[i]);
  }
  if (wrong == 0) return {};
  return fmt::format("{} of {} elements of shape {} ({}) are wrong; {}", wrong, found.size(), expected.shape.text(),
                     name_of(expected.dtype), first);
}

}  // namespace heddle::programs
