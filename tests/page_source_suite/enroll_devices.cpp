// The memory of each device in the page source suite.
#include <utility>
#include <vector>

#include "heddle/backends/cpu/open.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/backends/null/open.hpp"
#include "page_source_suite/suite.hpp"

namespace heddle::suite {
namespace {

Status open_cpu_device(std::unique_ptr<Device>* out) { return open_cpu({.workers = 1}, out); }

template <CudaPages pages>
Status open_cuda_device(std::unique_ptr<Device>* out) {
  return open_cuda({.pages = pages}, out);
}

// Its memory is the machine's, which others use too.
Enrollment shared(std::string name, Status (*open)(std::unique_ptr<Device>*)) {
  return {.name = std::move(name), .open = open, .counts_memory = false};
}

INSTANTIATE_TEST_SUITE_P(device, PageSourceSuite,
                         testing::Values(shared("cpu", open_cpu_device), shared("null", open_null),
                                         Enrollment{.name = "sim", .open = open_small}),
                         name_of_enrollment);

// Skipped where there is no GPU.
const std::vector<Enrollment> kCuda{shared("virtual", open_cuda_device<CudaPages::kVirtual>),
                                    shared("pool", open_cuda_device<CudaPages::kPool>),
                                    shared("plain", open_cuda_device<CudaPages::kPlain>)};

INSTANTIATE_TEST_SUITE_P(cuda, PageSourceSuite, testing::ValuesIn(cuda_built_in() ? kCuda : std::vector<Enrollment>()),
                         name_of_enrollment);

}  // namespace
}  // namespace heddle::suite
