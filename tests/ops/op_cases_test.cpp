// Every case of the table on every set of kernels of the CPU.
#include "ops/op_cases.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ops/op_case_check.hpp"

namespace heddle::test {
namespace {

class OpCaseTest : public testing::TestWithParam<CpuKernels> {};

TEST_P(OpCaseTest, EveryCaseAgreesWithTheReference) {
  Options options;
  options.cpu_kernels = GetParam();
  Runtime runtime(options);
  check_all_cases(runtime);
}

TEST(OpCases, EveryElementwiseFunctionHasItsRows) {
  const std::vector<OpCase> cases = op_cases();
  for (const KernelId map : kMapKernels) {
    const std::string name = std::string(kernel_name(map)) + " ";
    const auto rows = std::count_if(cases.begin(), cases.end(),
                                    [&](const OpCase& op_case) { return op_case.name.starts_with(name); });
    EXPECT_GE(rows, 9) << name << "is a row of device/maps-inl.h; add its rows to tests/ops/op_cases.hpp";
  }
}

INSTANTIATE_TEST_SUITE_P(Cpu, OpCaseTest, testing::Values(CpuKernels::kBest, CpuKernels::kPortable),
                         [](const auto& kernels) { return kernels.param == CpuKernels::kBest ? "Best" : "Portable"; });

}  // namespace
}  // namespace heddle::test
