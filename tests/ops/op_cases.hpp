// The table of operation cases: inputs, what heddle computes, and the same in double precision.
//
// A new operation adds its rows here and nothing elsewhere; every set of kernels runs all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "heddle/heddle.hpp"
#include "ops/reference.hpp"

namespace heddle::test {

struct Input {
  Extents extents;
  bool transposed = false;  // a view: stored with the last two dimensions swapped
  bool special = false;     // with NaN, infinities and zeros of both signs among the values
};

inline Input transposed(Extents extents) { return {std::move(extents), true, false}; }

using Tensors = std::vector<Tensor>;
using HostTensors = std::vector<HostTensor>;

struct OpCase {
  std::string name;
  std::vector<Input> inputs;
  std::function<Tensor(Core&, const Tensors&)> compute;
  std::function<Expected(const HostTensors&)> reference;
};

// Floats in [-2, 2), none of them 0, that depend on `seed` only.
inline HostTensor make_values(const Input& input, std::uint64_t seed) {
  HostTensor result{input.extents, {}};
  std::uint64_t state = seed * 2 + 1;
  for (std::int64_t i = 0; i < count(input.extents); ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const double unit = static_cast<double>(state >> 42) * 0x1p-22;  // 22 bits
    result.values.push_back(unit * 4 - 2 + 0x1p-22);
  }
  if (input.special) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const double specials[] = {std::numeric_limits<double>::quiet_NaN(), kInfinity, -kInfinity, 0.0, -0.0};
    for (std::size_t i = 0; i < result.values.size(); i += 3) result.values[i] = specials[i / 3 % 5];
  }
  return result;
}

inline Tensor upload(Core& core, const Input& input, const HostTensor& values) {
  const std::size_t rank = values.extents.size();
  const HostTensor stored = input.transposed ? transpose_reference(values, rank - 2, rank - 1) : values;
  const std::vector<float> floats(stored.values.begin(), stored.values.end());
  const Tensor result = Tensor::from_host(core, floats, Shape(stored.extents));
  return input.transposed ? transpose(result) : result;
}

class OpCases {
 public:
  void add(std::string name, std::vector<Input> inputs, decltype(OpCase::compute) compute,
           decltype(OpCase::reference) reference) {
    for (const Input& input : inputs) {
      name += fmt::format(" [{}]{}{}", fmt::join(input.extents, ","), input.transposed ? "T" : "",
                          input.special ? "special" : "");
    }
    cases_.push_back({std::move(name), std::move(inputs), std::move(compute), std::move(reference)});
  }
  std::vector<OpCase> take() { return std::move(cases_); }

 private:
  std::vector<OpCase> cases_;
};

inline void add_binary_cases(OpCases& cases) {
  struct Operation {
    const char* name;
    Tensor (*compute)(const Tensor&, const Tensor&);
    double (*reference)(double, double);
  };
  const Operation operations[] = {{"add", add, [](double a, double b) { return a + b; }},
                                  {"sub", sub, [](double a, double b) { return a - b; }},
                                  {"mul", mul, [](double a, double b) { return a * b; }},
                                  {"div", div, [](double a, double b) { return a / b; }}};
  const std::vector<Input> shapes[] = {
      {{{}}, {{}}},
      {{{0}}, {{0}}},
      {{{3, 0}}, {{1, 1}}},
      {{{1}}, {{1}}},
      {{{7}}, {{7}}},
      {{{33, 65}}, {{33, 65}}},
      {{{70000}}, {{70000}}},
      {{{5, 4}}, {{}}},
      {{{}}, {{5, 4}}},
      {{{5, 4}}, {{4}}},
      {{{5, 4}}, {{5, 1}}},
      {{{5, 1}}, {{1, 4}}},
      {{{2, 1, 3, 1, 2, 3}}, {{4, 1, 5, 1, 3}}},
      {{{2, 3, 4}}, {{3, 4}}},
      {transposed({6, 9}), {{6, 9}}},
      {{{6, 9}}, transposed({6, 9})},
      {transposed({130, 67}), transposed({130, 67})},
      {transposed({3, 5, 4}), transposed({5, 1})},
      {{{40}, false, true}, {{40}}},
      {{{40}}, {{40}, false, true}},
  };
  for (const Operation& operation : operations) {
    for (const std::vector<Input>& inputs : shapes) {
      cases.add(
          operation.name, inputs, [operation](Core&, const Tensors& in) { return operation.compute(in[0], in[1]); },
          [operation](const HostTensors& in) { return elementwise_reference(in[0], in[1], operation.reference); });
    }
  }
}

inline void add_unary_cases(OpCases& cases) {
  const std::vector<Input> inputs = {{{}},     {{0}},    {{1}}, {{31}}, {{100, 100}}, {{70001}}, transposed({17, 33}),
                                     transposed({2, 3, 4}), {{50}, false, true}};
  for (const Input& input : inputs) {
    cases.add(
        "relu", {input}, [](Core&, const Tensors& in) { return relu(in[0]); },
        [](const HostTensors& in) {
          HostTensor result = in[0];
          for (double& value : result.values) value = value < 0 ? 0 : value;
          return exact(std::move(result));
        });
    cases.add(
        "copy", {input}, [](Core&, const Tensors& in) { return copy(in[0]); },
        [](const HostTensors& in) { return exact(in[0]); });
  }
}

inline void add_reduce_cases(OpCases& cases) {
  const std::vector<Input> inputs = {{{}},         {{0}},       {{1}},           {{5}},
                                     {{1001}},     {{100000}},  {{300, 257}},    {{4, 0, 3}},
                                     {{3, 5, 7}},  {{2, 1, 9}}, {{2, 3, 2, 3, 2, 3}}, transposed({13, 29}),
                                     transposed({3, 8, 5})};
  for (const Input& input : inputs) {
    for (const bool is_mean : {false, true}) {
      const char* name = is_mean ? "mean" : "sum";
      cases.add(
          name, {input}, [is_mean](Core&, const Tensors& in) { return is_mean ? mean(in[0]) : sum(in[0]); },
          [is_mean](const HostTensors& in) { return reduce_reference(in[0], -1, is_mean); });
      const auto rank = static_cast<std::int64_t>(input.extents.size());
      for (std::int64_t axis = -rank; axis < rank; ++axis) {
        cases.add(
            fmt::format("{} over {}", name, axis), {input},
            [is_mean, axis](Core&, const Tensors& in) { return is_mean ? mean(in[0], axis) : sum(in[0], axis); },
            [is_mean, axis, rank](const HostTensors& in) {
              return reduce_reference(in[0], axis < 0 ? axis + rank : axis, is_mean);
            });
      }
    }
  }
}

inline void add_matmul_cases(OpCases& cases) {
  const std::vector<Input> operands[] = {
      {{{1, 1}}, {{1, 1}}},
      {{{2, 3}}, {{3, 4}}},
      {{{33, 65}}, {{65, 17}}},
      {{{128, 128}}, {{128, 128}}},
      {{{1, 200}}, {{200, 1}}},
      {{{200, 1}}, {{1, 30}}},
      {{{3, 0}}, {{0, 4}}},
      {{{0, 3}}, {{3, 4}}},
      {{{3, 4}}, {{4, 0}}},
      {transposed({9, 5}), {{5, 7}}},
      {{{9, 5}}, transposed({5, 7})},
      {transposed({65, 33}), transposed({33, 70})},
      {transposed({1, 5}), transposed({5, 1})},
      {{{4, 3, 5}}, {{4, 5, 2}}},
      {{{4, 3, 5}}, {{5, 2}}},
      {transposed({4, 3, 5}), {{5, 2}}},
      {{{3, 5}}, {{4, 5, 2}}},
      {{{4, 3, 5}}, {{1, 5, 2}}},
      {{{2, 1, 3, 5}}, {{4, 5, 2}}},
      {{{2, 3, 3, 5}}, {{3, 5, 2}}},
      {{{2, 3, 3, 5}}, {{2, 1, 5, 2}}},
      {{{2, 3, 3, 5}}, transposed({2, 3, 5, 2})},
      {{{0, 3, 5}}, {{5, 2}}},
      {{{2, 3, 0}}, {{0, 2}}},
      {{{2, 1, 2, 1, 3, 4}}, {{1, 3, 1, 2, 4, 2}}},
  };
  for (const std::vector<Input>& inputs : operands) {
    cases.add(
        "matmul", inputs, [](Core&, const Tensors& in) { return matmul(in[0], in[1]); },
        [](const HostTensors& in) { return matmul_reference(in[0], in[1]); });
  }
  // Matrices whose rows and columns are both strided: the operation copies them.
  cases.add(
      "matmul of middle dimensions", {{{3, 4, 5}}, {{5, 2}}},
      [](Core&, const Tensors& in) { return matmul(transpose(transpose(in[0], 0, 1), 1, 2), transpose(transpose(in[1]))); },
      [](const HostTensors& in) {
        return matmul_reference(transpose_reference(transpose_reference(in[0], 0, 1), 1, 2), in[1]);
      });
  cases.pop_last_until_inner_extent_fits();
}

}  // namespace heddle::test
