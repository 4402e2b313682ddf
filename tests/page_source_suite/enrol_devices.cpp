// The memory of each device in the page source suite.
#include "heddle/backends/cpu/open.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/backends/null/open.hpp"
#include "page_source_suite/suite.hpp"

namespace heddle::suite {
namespace {

Status open_cpu_device(std::unique_ptr<Device>* out) { return open_cpu({.workers = 1}, out); }
Status open_sim_device(std::unique_ptr<Device>* out) { return open_sim({.memory_bytes = kSmall}, out); }

template <CudaPages pages>
Status open_cuda_device(std::unique_ptr<Device>* out) {
  return open_cuda({.pages = pages}, out);
}

INSTANTIATE_TEST_SUITE_P(device, PageSourceSuite,
                         testing::Values(Enrolment{.name = "cpu", .open = open_cpu_device},
                                         Enrolment{.name = "sim", .open = open_sim_device},
                                         Enrolment{.name = "null", .open = open_null}),
                         name_of_enrolment);

// Skipped where there is no GPU.
INSTANTIATE_TEST_SUITE_P(
    cuda, PageSourceSuite,
    testing::ValuesIn(cuda_built_in()
                          ? std::vector{Enrolment{.name = "virtual", .open = open_cuda_device<CudaPages::kVirtual>},
                                        Enrolment{.name = "pool", .open = open_cuda_device<CudaPages::kPool>},
                                        Enrolment{.name = "plain", .open = open_cuda_device<CudaPages::kPlain>}}
                          : std::vector<Enrolment>()),
    name_of_enrolment);

}  // namespace
}  // namespace heddle::suite
