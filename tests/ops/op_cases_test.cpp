// Every case of the table on every set of kernels.
#include "ops/op_cases.hpp"

#include <cmath>
#include <memory>
#include <tuple>

#include <gtest/gtest.h>

namespace heddle::test {
namespace {

const std::vector<OpCase>& all_cases() {
  static const std::vector<OpCase> cases = op_cases();
  return cases;
}

bool agrees(double actual, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  return actual == expected || std::abs(actual - expected) <= tolerance;
}

class OpCaseTest : public testing::TestWithParam<CpuKernels> {
 protected:
  void SetUp() override {
    Options options;
    options.cpu_kernels = GetParam();
    runtime_ = std::make_unique<Runtime>(options);
  }

  void check(const OpCase& op_case) {
    HostTensors values;
    Tensors inputs;
    for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
      values.push_back(make_values(op_case.inputs[i], i + 1));
      inputs.push_back(upload(*runtime_, op_case.inputs[i], values.back()));
    }
    const Tensor result = op_case.compute(*runtime_, inputs);
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

  std::unique_ptr<Runtime> runtime_;
};

TEST_P(OpCaseTest, EveryCaseAgreesWithTheReference) {
  for (const OpCase& op_case : all_cases()) {
    SCOPED_TRACE(op_case.name);
    check(op_case);
  }
}

INSTANTIATE_TEST_SUITE_P(Cpu, OpCaseTest, testing::Values(CpuKernels::kBest, CpuKernels::kPortable),
                         [](const auto& kernels) { return kernels.param == CpuKernels::kBest ? "Best" : "Portable"; });

}  // namespace
}  // namespace heddle::test
