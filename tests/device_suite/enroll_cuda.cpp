// The CUDA device in the suite; every test is skipped where there is no GPU.
#include <cuda_runtime_api.h>

#include <stdexcept>

#include "device_suite/suite.hpp"
#include "heddle/backends/cuda/device.hpp"

namespace heddle::suite {
namespace {

// The list's stream waits in a function of the host.
void hold(Device&, Queue&, CommandList& list, std::shared_ptr<Gate> gate) {
  append_custom(list, "hold", [gate](void* stream) {
    using Held = std::shared_ptr<Gate>;
    const auto pass = [](void* held) { (*std::unique_ptr<Held>(static_cast<Held*>(held)))->pass(); };
    if (cudaLaunchHostFunc(static_cast<cudaStream_t>(stream), pass, new Held(gate)) != cudaSuccess) {
      throw std::runtime_error("cudaLaunchHostFunc failed");
    }
  });
}

const Enrollment kCuda{
    .name = "cuda",
    .open = [](std::unique_ptr<Device>* out) { return open_cuda({}, out); },
    .hold = hold,
    .lose = [](Device& device, Status status) { static_cast<cuda::CudaDevice&>(device).lose(status); },
    .faults_need_poll = true};

INSTANTIATE_TEST_SUITE_P(cuda, DeviceSuite, testing::Values(kCuda), name_of_enrollment);

}  // namespace
}  // namespace heddle::suite
