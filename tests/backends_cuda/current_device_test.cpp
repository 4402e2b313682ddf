// A runtime on a device that is not the thread's own: heddle/backends/cuda/current_device.hpp,
// heddle/backends/cuda/driver.hpp. Needs two GPUs.
#include "heddle/backends/cuda/current_device.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "backends_cuda/gpu.hpp"
#include "heddle/backends/cuda/driver.hpp"

namespace heddle::test {
namespace {

bool has_context(int index) {
  const cuda::Driver* driver = nullptr;
  CUdevice device = 0;
  unsigned flags = 0;
  int active = 0;
  return cuda::Driver::load(&driver).ok() && driver->device(&device, index) == CUDA_SUCCESS &&
         driver->context_state(device, &flags, &active) == CUDA_SUCCESS && active != 0;
}

// In a process of its own, as other tests open the first device.
[[noreturn]] void run_on_the_second_device() {
  int code = 0;
  const auto expect = [&code](bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "FAILED: %s\n", what);
    code = 1;
  };
  {
    Runtime runtime(cuda_options_of(1));
    const auto loop = [&] {
      const Tensor x = full(runtime, {300, 300}, 1.0F);
      expect(sum(matmul(x, x)).item() == 300.0F * 300 * 300, "the sum");
      int device = -1;
      expect(cudaGetDevice(&device) == cudaSuccess && device == 0, "the thread's device is what it was");
    };
    loop();
    std::thread([&] {
      const Lease lease = runtime.lease();
      loop();
    }).join();
    // A user's function that chooses another device and leaves it so: what comes behind it in the list still runs.
    std::thread([&] {
      cudaSetDevice(1);
      const Lease lease = runtime.lease();
      custom(runtime, "chooses", {}, {}, [](const CustomCall&) { cudaSetDevice(1); });
      expect(full(runtime, {1}, 3.0F).item() == 3.0F, "behind a function that chose this device");
    }).join();
    expect(!has_context(0), "nothing made a context on the device that is not used");
    std::thread([&] {
      const Lease lease = runtime.lease();
      custom(runtime, "chooses", {}, {}, [](const CustomCall&) { cudaSetDevice(0); });
      expect(full(runtime, {1}, 4.0F).item() == 4.0F, "behind a function that chose another device");
    }).join();
  }
  expect(has_context(1), "the device that was used has a context: the question above can be answered");
  std::fprintf(stderr, "done\n");
  std::exit(code);
}

TEST_F(CudaSecondDevice, LeavesNoContextOnTheFirstAndThreadsAsTheyWere) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_on_the_second_device(), testing::ExitedWithCode(0), "done");
}

}  // namespace
}  // namespace heddle::test
