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
  const std::vector<Input> inputs = {{{}},
                                     {{0}},
                                     {{1}},
                                     {{31}},
                                     {{100, 100}},
                                     {{70001}},
                                     transposed({17, 33}),
                                     transposed({2, 3, 4}),
                                     {{50}, false, true}};
  struct Operation {
    const char* name;
    Tensor (*compute)(const Tensor&);
    double (*reference)(double);
  };
  const Operation operations[] = {{"relu", relu, [](double x) { return x < 0 ? 0.0 : x; }}};
  for (const Input& input : inputs) {
    for (const Operation& operation : operations) {
      cases.add(
          operation.name, {input}, [operation](Core&, const Tensors& in) { return operation.compute(in[0]); },
          [operation](const HostTensors& in) {
            HostTensor result = in[0];
            for (double& value : result.values) value = operation.reference(value);
            return exact(std::move(result));
          });
    }
    cases.add(
        "copy", {input}, [](Core&, const Tensors& in) { return copy(in[0]); },
        [](const HostTensors& in) { return exact(in[0]); });
  }
}

inline void add_reduce_cases(OpCases& cases) {
  const std::vector<Input> inputs = {{{}},
                                     {{0}},
                                     {{1}},
                                     {{5}},
                                     {{1001}},
                                     {{100000}},
                                     {{300, 257}},
                                     {{4, 0, 3}},
                                     {{3, 5, 7}},
                                     {{2, 1, 9}},
                                     {{2, 3, 2, 3, 2, 3}},
                                     transposed({13, 29}),
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
  // Neither rows nor columns are dense: the operation copies them.
  cases.add(
      "matmul of turned", {{{3, 4, 5}}, {{2, 3, 5}}},
      [](Core&, const Tensors& in) { return matmul(transpose(in[0], 0, 2), transpose(in[1], 0, 2)); },
      [](const HostTensors& in) {
        return matmul_reference(transpose_reference(in[0], 0, 2), transpose_reference(in[1], 0, 2));
      });
}

inline void add_linear_cases(OpCases& cases) {
  const std::vector<Input> operands[] = {
      {{{3, 5}}, {{4, 5}}, {{4}}},
      {{{64, 100}}, {{33, 100}}, {{33}}},
      {{{5}}, {{4, 5}}, {{4}}},
      {{{2, 3, 5}}, {{4, 5}}, {{4}}},
      {{{2, 3, 0}}, {{4, 0}}, {{4}}},
      {{{0, 5}}, {{4, 5}}, {{4}}},
      {{{3, 5}}, {{0, 5}}, {{0}}},
      {transposed({3, 5}), transposed({4, 5}), {{4}}},
      {transposed({2, 3, 5}), {{4, 5}}, {{4}}},
  };
  for (const std::vector<Input>& inputs : operands) {
    for (const bool with_bias : {true, false}) {
      cases.add(
          with_bias ? "linear" : "linear without bias", inputs,
          [with_bias](Core&, const Tensors& in) { return linear(in[0], in[1], with_bias ? in[2] : Tensor()); },
          [with_bias](const HostTensors& in) {
            const HostTensor weight = transpose_reference(in[1], 0, 1);
            HostTensor x = in[0];
            if (x.extents.size() == 1) x.extents.insert(x.extents.begin(), 1);
            // Rows as one matrix: a batch of them would need a batch of weights.
            const Extents lead(x.extents.begin(), x.extents.end() - 1);
            x.extents = {count(lead), x.extents.back()};
            Expected expected = matmul_reference(x, weight, with_bias ? in[2].values : std::vector<double>());
            expected.result.extents = in[0].extents;
            expected.result.extents.back() = in[1].extents[0];
            return expected;
          });
    }
  }
  // A bias and a weight that are not dense.
  cases.add(
      "linear of strided", {{{3, 5}}, {{5, 2, 4}}, {{4, 3}}},
      [](Core&, const Tensors& in) {
        const Tensor weight = reshape(transpose(in[1], 0, 2), {8, 5});
        return linear(in[0], weight, reshape(transpose(relu(in[2])), {12}).view(Shape{8}, Strides{1}));
      },
      [](const HostTensors& in) {
        const HostTensor turned = transpose_reference(in[1], 0, 2);
        const HostTensor bias = transpose_reference(in[2], 0, 1);
        std::vector<double> row(bias.values.begin(), bias.values.begin() + 8);
        for (double& value : row) value = value < 0 ? 0 : value;
        return matmul_reference(in[0], transpose_reference({{8, 5}, turned.values}, 0, 1), row);
      });
}

inline void add_view_cases(OpCases& cases) {
  const auto reshaped = [&](const Input& input, const Extents& to, const Extents& given) {
    cases.add(
        fmt::format("reshape to [{}]", fmt::join(given, ",")), {input},
        [to, given](Core&, const Tensors& in) {
          if (to == given) return reshape(in[0], Shape(to));
          // The list with -1: all such rows have two extents.
          return reshape(in[0], {given[0], given[1]});
        },
        [to](const HostTensors& in) { return exact({to, in[0].values}); });
  };
  reshaped({{}}, {1, 1}, {1, 1});
  reshaped({{1, 1}}, {}, {});
  reshaped({{0, 4}}, {2, 0}, {2, 0});
  reshaped({{6, 4}}, {2, 12}, {2, -1});
  reshaped({{6, 4}}, {8, 3}, {-1, 3});
  reshaped({{0, 4}}, {0, 4}, {-1, 4});
  reshaped({{2, 3, 4}}, {24}, {24});
  reshaped(transposed({6, 4}), {24}, {24});
  reshaped(transposed({6, 4}), {2, 3, 4}, {2, 3, 4});
  reshaped(transposed({6, 4}), {6, 1, 2, 2}, {6, 1, 2, 2});
  reshaped(transposed({1, 4}), {4}, {4});
  reshaped(transposed({2, 3, 4}), {6, 4}, {6, 4});

  const std::pair<int, int> swaps[] = {{0, 1}, {0, 2}, {-1, 0}, {1, 1}};
  for (const std::pair<int, int>& dims : swaps) {
    for (const Extents& extents : {Extents{3, 4, 5}, Extents{1, 4, 1}, Extents{2, 0, 3}}) {
      cases.add(
          fmt::format("transpose {} {}", dims.first, dims.second), {{extents}},
          [dims](Core&, const Tensors& in) { return transpose(in[0], dims.first, dims.second); },
          [dims](const HostTensors& in) {
            return exact(transpose_reference(in[0], static_cast<std::size_t>((dims.first + 3) % 3),
                                             static_cast<std::size_t>((dims.second + 3) % 3)));
          });
    }
  }
  cases.add(
      "sum of turned", {{{3, 4, 5}}}, [](Core&, const Tensors& in) { return sum(transpose(in[0], 0, 2), 1); },
      [](const HostTensors& in) { return reduce_reference(transpose_reference(in[0], 0, 2), 1, false); });
}

inline void add_fill_cases(OpCases& cases) {
  for (const Extents& extents : {Extents{}, Extents{0}, Extents{1}, Extents{3, 5}, Extents{70001}}) {
    const auto filled = [&](const char* name, float value, const auto& compute) {
      cases.add(fmt::format("{} [{}]", name, fmt::join(extents, ",")), {}, compute,
                [extents, value](const HostTensors&) {
                  const auto size = static_cast<std::size_t>(count(extents));
                  return exact({extents, std::vector<double>(size, static_cast<double>(value))});
                });
    };
    filled("zeros", 0.0F, [extents](Core& core, const Tensors&) { return zeros(core, Shape(extents)); });
    filled("full", -1.5F, [extents](Core& core, const Tensors&) { return full(core, Shape(extents), -1.5F); });
  }
}

inline std::vector<OpCase> op_cases() {
  OpCases cases;
  add_binary_cases(cases);
  add_unary_cases(cases);
  add_reduce_cases(cases);
  add_matmul_cases(cases);
  add_linear_cases(cases);
  add_view_cases(cases);
  add_fill_cases(cases);
  return cases.take();
}

}  // namespace heddle::test
