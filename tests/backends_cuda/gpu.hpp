// What the tests of the CUDA device share: a runtime on it, or a skip that says why there is none.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "heddle/backends/cuda/open.hpp"
#include "heddle/heddle.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace heddle::test {

inline Options cuda_options() {
  Options options;
  options.device = "cuda";
  return options;
}

// Empty where a CUDA device can be opened, else why not.
inline const std::string& no_gpu() {
  static const std::string why = [] {
    std::unique_ptr<Device> device;
    return std::string(open_cuda({}, &device).text());
  }();
  return why;
}

class Gpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!no_gpu().empty()) GTEST_SKIP() << no_gpu();
  }
};

// Two devices that can be opened.
class CudaSecondDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count < 2) GTEST_SKIP() << "there are no two devices";
  }
};

inline Options cuda_options_of(int index) {
  Options options;
  options.device = "cuda:" + std::to_string(index);
  return options;
}

// Holds the calling thread's stream back for this long: what is recorded afterwards starts later.
inline void delay(Runtime& runtime, std::chrono::milliseconds duration) {
  custom(runtime, "delay", {}, {}, [duration](const CustomCall& call) {
    auto* const length = new std::chrono::milliseconds(duration);
    const auto sleep = [](void* memory) {
      const std::unique_ptr<std::chrono::milliseconds> taken(static_cast<std::chrono::milliseconds*>(memory));
      std::this_thread::sleep_for(*taken);
    };
    if (cudaLaunchHostFunc(static_cast<cudaStream_t>(call.native_handle), sleep, length) != cudaSuccess) {
      throw std::runtime_error("cudaLaunchHostFunc failed");
    }
  });
}

}  // namespace heddle::test
