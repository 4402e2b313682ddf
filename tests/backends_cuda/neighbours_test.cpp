// What the backend does beside other code of the program, and must not do to it; heddle/backends/cuda/reader.hpp,
// heddle/backends/cuda/device.hpp.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "backends_cuda/gpu.hpp"

namespace heddle::test {
namespace {

using namespace std::chrono_literals;

class CudaNeighbours : public Gpu {};

// The poller frees what ended lists own, so that memory does not wait for the next submit; but a user's destructor may
// do anything, and must not do it there.
TEST_F(CudaNeighbours, AUsersDestructorDoesNotRunOnThePollersThread) {
  Runtime runtime(cuda_options());
  struct Probe {
    std::string* thread;
    ~Probe() {
      char name[32] = {};
      pthread_getname_np(pthread_self(), name, sizeof(name));
      *thread = name;
    }
  };
  std::string destroyed_on = "nothing";
  {
    const auto probe = std::make_shared<Probe>(&destroyed_on);
    custom(runtime, "holder", {}, {}, [probe](const CustomCall&) {});
  }
  runtime.commit();
  std::thread([&] {  // keeps the poller asking
    const Lease lease = runtime.lease();
    delay(runtime, 100ms);
    runtime.synchronize();
  })
      .join();
  EXPECT_EQ(destroyed_on, "nothing");
  runtime.synchronize();
  full(runtime, {1}, 1.0F);
  runtime.synchronize();
  EXPECT_NE(destroyed_on, "nothing") << "the next submit lets go of it";
  EXPECT_NE(destroyed_on, "heddle-poller");
}

// What a function of the user's holds, a tensor of the same runtime among it, is given back by a shutdown at the
// latest.
TEST_F(CudaNeighbours, WhatACustomOperationHeldIsGoneAfterAShutdown) {
  Runtime runtime(cuda_options());
  {
    const Tensor held = full(runtime, {4}, 1.0F);
    custom(runtime, "holder", {}, {}, [held](const CustomCall&) {});
  }
  const ShutdownReport report = runtime.shutdown();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(runtime.memory_statistics().live_blocks, 0U);
}

// While a thread captures a stream of its own, what others ask of the driver may spoil that: the poller, which asks for
// faults, and threads that allocate and read.
TEST_F(CudaNeighbours, ACaptureOfTheProgramsOwnIsNotDisturbed) {
  Runtime runtime(cuda_options());
  const Tensor x = full(runtime, {1}, 3.0F);
  runtime.synchronize();
  delay(runtime, 150ms);
  runtime.commit();
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
  std::this_thread::sleep_for(50ms);
  std::thread([&] {
    const Lease lease = runtime.lease();                  // a stream that is made now
    const Tensor large = full(runtime, {1 << 26}, 1.0F);  // and a segment
    EXPECT_EQ(large.to_host()[(1 << 26) - 1], 1.0F);      // pinned memory
    EXPECT_EQ(x.item(), 3.0F);                            // and a read
  }).join();
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  if (graph != nullptr) cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
  EXPECT_NO_THROW(runtime.synchronize());
}

// The default stream of the program is held up until the value was read.
TEST_F(CudaNeighbours, AReadWaitsForNoStreamOfTheProgramsOwn) {
  Runtime runtime(cuda_options());
  const Tensor x = full(runtime, {1}, 5.0F);
  runtime.synchronize();
  struct Gate {
    std::atomic<bool> open{false};
    std::atomic<bool> gave_up{false};
  } gate;
  const auto wait = [](void* memory) {
    auto* const of = static_cast<Gate*>(memory);
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (!of->open && !of->gave_up) {
      if (std::chrono::steady_clock::now() > end) of->gave_up = true;
      std::this_thread::sleep_for(1ms);
    }
  };
  ASSERT_EQ(cudaLaunchHostFunc(nullptr, wait, &gate), cudaSuccess);
  EXPECT_EQ(x.item(), 5.0F);
  gate.open = true;
  ASSERT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  EXPECT_FALSE(gate.gave_up);
}

}  // namespace
}  // namespace heddle::test
