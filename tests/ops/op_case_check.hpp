// Runs one case of the table on a runtime and compares it with its reference.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ops/op_cases.hpp"

namespace heddle::test {

inline bool agrees(double actual, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  return actual == expected || std::abs(actual - expected) <= tolerance;
}

inline void check_case(Runtime& runtime, const OpCase& op_case) {
  HostTensors values;
  Tensors inputs;
  for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
    values.push_back(make_values(op_case.inputs[i], i + 1));
    inputs.push_back(upload(runtime, op_case.inputs[i], values.back()));
  }
  const Tensor result = op_case.compute(runtime, inputs);
  const Expected expected = op_case.reference(values);
  ASSERT_EQ(result.shape().text(), Shape(expected.result.extents).text());
  const std::vector<float> actual = result.to_host();
  ASSERT_EQ(actual.size(), expected.result.values.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_TRUE(agrees(actual[i], expected.result.values[i], expected.tolerance[i]))
        << "element " << i << ": " << actual[i] << ", expected " << expected.result.values[i] << " +- "
        << expected.tolerance[i];
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<float> after = inputs[i].to_host();
    for (std::size_t j = 0; j < after.size(); ++j) {
      ASSERT_TRUE(agrees(after[j], values[i].values[j], 0.0)) << "input " << i << " was changed at " << j;
    }
  }
}

// Every case of the table, each under its name.
inline void check_all_cases(Runtime& runtime) {
  static const std::vector<OpCase> cases = op_cases();
  for (const OpCase& op_case : cases) {
    SCOPED_TRACE(op_case.name);
    check_case(runtime, op_case);
  }
}

}  // namespace heddle::test
