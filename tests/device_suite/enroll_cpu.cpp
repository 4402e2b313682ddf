// The CPU device in the suite, with one and with two workers, and with either choice of kernels.
#include "device_suite/suite.hpp"
#include "heddle/backends/cpu/open.hpp"

namespace heddle::suite {
namespace {

Enrollment cpu(std::string name, unsigned workers, CpuKernels kernels) {
  return {.name = std::move(name),
          .open = [=](std::unique_ptr<Device>* out) { return open_cpu({workers, kernels}, out); }};
}

INSTANTIATE_TEST_SUITE_P(cpu, DeviceSuite,
                         testing::Values(cpu("one_worker", 1, CpuKernels::kPortable),
                                         cpu("two_workers_best", 2, CpuKernels::kBest)),
                         name_of_enrollment);

}  // namespace
}  // namespace heddle::suite
