// Every case of the table on every set of kernels of the CPU.
#include "ops/op_cases.hpp"

#include <gtest/gtest.h>

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

INSTANTIATE_TEST_SUITE_P(Cpu, OpCaseTest, testing::Values(CpuKernels::kBest, CpuKernels::kPortable),
                         [](const auto& kernels) { return kernels.param == CpuKernels::kBest ? "Best" : "Portable"; });

}  // namespace
}  // namespace heddle::test
