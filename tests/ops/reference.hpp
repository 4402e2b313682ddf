// The operations in double precision, in the plainest way, with the error that a float kernel may have.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace heddle::test {

using Extents = std::vector<std::int64_t>;

// Row-major numbers in double precision, each one a float's value.
struct HostTensor {
  Extents extents;
  std::vector<double> values;
};

struct Expected {
  HostTensor result;
  std::vector<double> tolerance;  // per element
};

inline constexpr double kUlp = 0x1p-23;  // relative distance of neighbouring floats

inline std::int64_t count(const Extents& extents) {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) product *= extent;
  return product;
}

inline Extents indices_of(std::int64_t position, const Extents& extents) {
  Extents index(extents.size());
  for (std::size_t dim = extents.size(); dim-- > 0;) {
    index[dim] = position % extents[dim];
    position /= extents[dim];
  }
  return index;
}

// Where `x` has the element that belongs at `index` of a shape that it broadcasts to.
inline std::size_t broadcast_position(const Extents& index, const Extents& x) {
  const std::size_t missing = index.size() - x.size();
  std::int64_t position = 0;
  for (std::size_t dim = 0; dim < x.size(); ++dim) {
    position = position * x[dim] + (x[dim] == 1 ? 0 : index[dim + missing]);
  }
  return static_cast<std::size_t>(position);
}

inline Extents broadcast_extents(const Extents& a, const Extents& b) {
  Extents result(std::max(a.size(), b.size()), 1);
  for (const Extents& x : {a, b}) {
    for (std::size_t dim = 0; dim < x.size(); ++dim) {
      if (x[dim] != 1) result[result.size() - x.size() + dim] = x[dim];
    }
  }
  return result;
}

template <class Function>
Expected elementwise_reference(const HostTensor& a, const HostTensor& b, Function function) {
  Expected expected{{broadcast_extents(a.extents, b.extents), {}}, {}};
  for (std::int64_t i = 0; i < count(expected.result.extents); ++i) {
    const Extents index = indices_of(i, expected.result.extents);
    const double value =
        function(a.values[broadcast_position(index, a.extents)], b.values[broadcast_position(index, b.extents)]);
    expected.result.values.push_back(value);
    expected.tolerance.push_back(std::abs(value) * kUlp + std::numeric_limits<float>::denorm_min());
  }
  return expected;
}

inline Expected exact(HostTensor values) {
  std::vector<double> tolerance(values.values.size(), 0.0);
  return {std::move(values), std::move(tolerance)};
}

// Over dimension `axis`; over everything when it is -1.
inline Expected reduce_reference(const HostTensor& x, std::int64_t axis, bool mean) {
  Extents view = x.extents;
  Extents kept;
  if (axis < 0) {
    view = {count(x.extents)};
    axis = 0;
  } else {
    kept = x.extents;
    kept.erase(kept.begin() + axis);
  }
  const auto dim = static_cast<std::size_t>(axis);
  const std::int64_t reduced = view[dim];
  std::int64_t inner = 1;
  for (std::size_t i = dim + 1; i < view.size(); ++i) inner *= view[i];
  Expected expected{{kept, {}}, {}};
  for (std::int64_t i = 0; i < count(kept); ++i) {
    double total = 0;
    double magnitude = 0;
    for (std::int64_t r = 0; r < reduced; ++r) {
      const double value = x.values[static_cast<std::size_t>((i / inner * reduced + r) * inner + i % inner)];
      total += value;
      magnitude += std::abs(value);
    }
    const double divisor = mean ? static_cast<double>(reduced) : 1.0;
    expected.result.values.push_back(total / divisor);
    expected.tolerance.push_back(1e-5 * magnitude / divisor);
  }
  return expected;
}

inline HostTensor transpose_reference(const HostTensor& x, std::size_t a, std::size_t b) {
  HostTensor result{x.extents, {}};
  std::swap(result.extents[a], result.extents[b]);
  for (std::int64_t i = 0; i < count(result.extents); ++i) {
    Extents index = indices_of(i, result.extents);
    std::swap(index[a], index[b]);
    result.values.push_back(x.values[broadcast_position(index, x.extents)]);
  }
  return result;
}

// a [..., m, k] times b [..., k, n], plus a row `bias` if any.
inline Expected matmul_reference(const HostTensor& a, const HostTensor& b, const std::vector<double>& bias = {}) {
  const std::int64_t m = *(a.extents.end() - 2);
  const std::int64_t k = *(a.extents.end() - 1);
  const std::int64_t n = *(b.extents.end() - 1);
  const Extents lead_a(a.extents.begin(), a.extents.end() - 2);
  const Extents lead_b(b.extents.begin(), b.extents.end() - 2);
  const Extents lead = broadcast_extents(lead_a, lead_b);
  Expected expected;
  expected.result.extents = lead;
  expected.result.extents.insert(expected.result.extents.end(), {m, n});
  for (std::int64_t batch = 0; batch < count(lead); ++batch) {
    const Extents index = indices_of(batch, lead);
    const double* left = a.values.data() + static_cast<std::int64_t>(broadcast_position(index, lead_a)) * m * k;
    const double* right = b.values.data() + static_cast<std::int64_t>(broadcast_position(index, lead_b)) * k * n;
    for (std::int64_t i = 0; i < m * n; ++i) {
      double total = bias.empty() ? 0.0 : bias[static_cast<std::size_t>(i % n)];
      double magnitude = std::abs(total);
      for (std::int64_t l = 0; l < k; ++l) {
        const double term = left[i / n * k + l] * right[l * n + i % n];
        total += term;
        magnitude += std::abs(term);
      }
      expected.result.values.push_back(total);
      expected.tolerance.push_back(static_cast<double>(k + 1) * kUlp * magnitude);
    }
  }
  return expected;
}

}  // namespace heddle::test
