// Device memory for code that speaks cuda::mr: heddle/cuda_memory_resource.hpp. That it is such a resource is asserted
// when this file is compiled.
#define LIBCUDACXX_ENABLE_EXPERIMENTAL_MEMORY_RESOURCE  // CCCL before 3.1 wants to be asked
#include "heddle/cuda_memory_resource.hpp"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "backends_cuda/gpu.hpp"

namespace heddle::test {
namespace {

class CudaResource : public Gpu {
 protected:
  void SetUp() override {
    Gpu::SetUp();
    if (IsSkipped()) return;
    runtime_ = std::make_unique<Runtime>(cuda_options());
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
  }
  void TearDown() override {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  void* take(CudaMemoryResource& resource, std::size_t bytes) {
#if CCCL_VERSION >= 3001000
    return resource.allocate(stream_, bytes, 256);
#else
    return resource.allocate_async(bytes, 256, stream_);
#endif
  }
  void give(CudaMemoryResource& resource, void* memory, std::size_t bytes) {
#if CCCL_VERSION >= 3001000
    resource.deallocate(stream_, memory, bytes, 256);
#else
    resource.deallocate_async(memory, bytes, 256, stream_);
#endif
  }

  std::unique_ptr<Runtime> runtime_;
  cudaStream_t stream_ = nullptr;
};

TEST_F(CudaResource, CopiesShareWhatWasHandedOut) {
  CudaMemoryResource resource(*runtime_);
  CudaMemoryResource copy = resource;
  EXPECT_TRUE(copy == resource);
  EXPECT_FALSE(copy == CudaMemoryResource(*runtime_));
  void* const memory = take(resource, 1000);
  EXPECT_EQ(runtime_->memory_statistics().live, 1000U);
  give(copy, memory, 1000);
  runtime_->synchronize();
  EXPECT_EQ(runtime_->memory_statistics().live, 0U);
}

// The foreign stream still writes when the memory is freed; whoever gets it next must come behind.
TEST_F(CudaResource, WhatIsFreedIsReusedBehindTheStreamThatFreedIt) {
  CudaMemoryResource resource(*runtime_);
  constexpr std::size_t kBytes = 1 << 20;
  for (int round = 0; round < 3; ++round) {
    void* const memory = take(resource, kBytes);
    const auto sleep = [](void*) { std::this_thread::sleep_for(std::chrono::milliseconds(50)); };
    ASSERT_EQ(cudaLaunchHostFunc(stream_, sleep, nullptr), cudaSuccess);
    ASSERT_EQ(cudaMemsetAsync(memory, 0xFF, kBytes, stream_), cudaSuccess);
    give(resource, memory, kBytes);
    const Tensor next = full(*runtime_, {kBytes / sizeof(float)}, 2.0F);
    EXPECT_EQ(next.data(), memory) << "the test wants the same memory";
    EXPECT_EQ(next.to_host()[kBytes / sizeof(float) - 1], 2.0F);
  }
}

}  // namespace
}  // namespace heddle::test
