// Failures: of every call to CUDA in turn, and of the device itself; heddle/backends/cuda/call.hpp,
// heddle/backends/cuda/device.hpp, heddle/backends/cuda/driver.hpp, heddle/backends/cuda/pinned.hpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "backends_cuda/gpu.hpp"
#include "heddle/backends/cuda/call.hpp"

namespace heddle::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class CudaFaults : public Gpu {
 protected:
  void TearDown() override { cuda::plant_failure(0, cudaSuccess); }
};

// A program that uses every kind of call. Throws what heddle throws; its result is right or absent.
void small_program() {
  Runtime runtime(cuda_options());
  std::atomic<int> handlers{0};
  Generator generator(runtime, 1);
  const Tensor x = randn(generator, {64, 64});
  const Tensor product = matmul(x, x);
  const Tensor ones = full(runtime, {150, 150}, 1.0F);
  const Tensor by_library = matmul(ones, ones);
  const Tensor big = full(runtime, {200'000}, 1.0F);
  runtime.on_complete([&](const Status&) { ++handlers; });
  Event event = runtime.record_event();
  std::string problem;
  std::thread([&] {
    try {
      const Lease lease = runtime.lease();
      runtime.wait(event);
      const Tensor y = add(product, x);
      const std::vector<float> sums = stack(std::vector<Tensor>{sum(y), sum(y)}).to_host();
      if (sums[0] != sums[1]) problem = "two equal sums differ";
      if (sum(big).item() != 200'000.0F) problem = "a wrong sum";
      if (sum(by_library).item() != 150.0F * 150 * 150) problem = "a wrong product";
    } catch (const Error&) {
      // As it may.
    }
  }).join();
  EXPECT_EQ(problem, "");
  try {
    runtime.synchronize();
  } catch (...) {
    runtime.shutdown();
    EXPECT_EQ(handlers.load(), 1);
    throw;
  }
  runtime.shutdown();
  EXPECT_EQ(handlers.load(), 1);
}

// Runs the program with its n-th call failing, for every n.
void sweep(cudaError_t error) {
  const std::uint64_t before = cuda::calls_made();
  small_program();
  const std::uint64_t calls = cuda::calls_made() - before;
  ASSERT_GT(calls, 30U);
  int failed = 0;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << calls << " fails");
    cuda::plant_failure(n, error);
    try {
      small_program();
    } catch (const Error&) {
      ++failed;
    }
    cuda::plant_failure(0, cudaSuccess);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(failed, 10);
  small_program();
}

TEST_F(CudaFaults, AnyCallMayFailAndNothingHangsOrIsWrong) { sweep(cudaErrorInvalidConfiguration); }

TEST_F(CudaFaults, AnyCallMayFindTheDeviceLost) { sweep(cudaErrorIllegalAddress); }

TEST_F(CudaFaults, AnyCallMayRunOutOfMemory) { sweep(cudaErrorMemoryAllocation); }

// In a process of its own, as the fault stays with it.
[[noreturn]] void lose_the_device() {
  int code = 0;
  const auto expect = [&code](bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "FAILED: %s\n", what);
    code = 1;
  };
  {
    Runtime runtime(cuda_options());
    std::atomic<int> told{0}, told_lost{0};
    std::atomic<bool> waiter_lost{false};
    const Tensor x = full(runtime, {16}, 1.0F);
    runtime.synchronize();
    std::thread waiter([&] {
      const Lease lease = runtime.lease();
      delay(runtime, 300ms);
      const Tensor y = add(x, x);
      for (int i = 0; i < 10; ++i) {
        runtime.on_complete([&](const Status& status) {
          ++told;
          if (status.kind() == ErrorKind::kDeviceLost) ++told_lost;
        });
      }
      try {
        runtime.synchronize();
      } catch (const DeviceLost&) {
        waiter_lost = true;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "the waiter got: %s\n", error.what());
      }
    });
    std::this_thread::sleep_for(50ms);
    const Clock::time_point fault = Clock::now();
    {
      Recording recording(runtime.core().pool());
      recording.lane().append(KernelId::kFill, FillArgs{reinterpret_cast<void*>(0x1000), 1 << 20, 0});
    }
    const Event event = runtime.record_event();
    std::string text;
    try {
      event.wait();
    } catch (const DeviceLost& error) {
      text = error.what();
    }
    expect(!text.empty(), "the event of the faulty list has the loss");
    waiter.join();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - fault);
    while (told.load() < 10 && Clock::now() < fault + 2s) std::this_thread::sleep_for(1ms);
    expect(took < 1s, "every ticket is told within a second");
    expect(waiter_lost, "a waiter on another stream gets DeviceLost");
    expect(told_lost.load() == 10, "every handler runs with the loss");
    try {
      full(runtime, {4}, 1.0F);
      runtime.synchronize();
      expect(false, "later work fails");
    } catch (const DeviceLost&) {
    } catch (const Error& error) {
      std::fprintf(stderr, "later work got: %s\n", error.what());
    }
    const Clock::time_point closing = Clock::now();
    runtime.shutdown();
    expect(Clock::now() - closing < 2s, "shutdown returns in time");
    std::fprintf(stderr, "told after %d ms: %s\n", static_cast<int>(took.count()), text.c_str());
  }
  std::exit(code);
}

TEST_F(CudaFaults, ALostDeviceIsToldToEverybodyWithinASecond) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(lose_the_device(), testing::ExitedWithCode(0), "told after [0-9]+ ms: .*illegal");
}

}  // namespace
}  // namespace heddle::test
