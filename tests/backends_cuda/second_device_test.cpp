// Two devices in one process, each with a runtime of its own. Needs two GPUs.
//
// What could go wrong: a call on a thread whose current device is the other one (launches, allocations, events, reads,
// the poller's questions, destructors), memory on the wrong device, tickets and events of one device taken for the
// other's.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "backends_cuda/gpu.hpp"

namespace heddle::test {
namespace {

using namespace std::chrono_literals;

int current_device() {
  int device = -1;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  return device;
}

int device_of(const Tensor& x) {
  cudaPointerAttributes attributes{};
  EXPECT_EQ(cudaPointerGetAttributes(&attributes, x.data()), cudaSuccess);
  return attributes.device;
}

template <class Call>
std::string refusal_of(const Call& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "not refused";
}

// Products that the library computes, small ones, reductions, random numbers: what a thread gets of one device.
std::vector<float> results_of(Runtime& runtime, int round) {
  Generator generator(runtime, static_cast<std::uint64_t>(round));
  const Tensor x = uniform(generator, {300, 300});
  const Tensor small = uniform(generator, {16, 16});
  const std::array results{sum(matmul(x, x)), sum(matmul(small, small)), sum(add(x, x)), mean(x)};
  return stack(results).to_host();
}

// Threads use both in turn, whichever device is theirs.
TEST_F(CudaSecondDevice, ThreadsThatUseBothInTurnGetTheSameOfEach) {
  Runtime first(cuda_options_of(0));
  Runtime second(cuda_options_of(1));
  const bool equal_models = first.device_info().name == second.device_info().name;
  constexpr int kRounds = 40;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      ASSERT_EQ(cudaSetDevice(t % 2), cudaSuccess);
      for (int round = 0; round < kRounds; ++round) {
        const std::vector<float> a = results_of(first, round);
        const std::vector<float> b = results_of(second, round);
        ASSERT_EQ(a.size(), 4U);
        ASSERT_EQ(b.size(), 4U);
        for (std::size_t i = 0; i < a.size(); ++i) {
          if (equal_models) {
            ASSERT_EQ(a[i], b[i]) << "thread " << t << ", round " << round << ", result " << i;
          } else {
            ASSERT_NEAR(a[i], b[i], 1e-4F * a[i]) << "thread " << t << ", round " << round << ", result " << i;
          }
        }
        ASSERT_EQ(current_device(), t % 2) << "the thread's device is what it was";
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(CudaSecondDevice, MemoryIsOnItsDeviceWhateverItsSource) {
  for (const CudaPages pages : {CudaPages::kVirtual, CudaPages::kPool, CudaPages::kPlain}) {
    for (const int mine : {0, 1}) {
      ASSERT_EQ(cudaSetDevice(1 - mine), cudaSuccess);
      Options options = cuda_options_of(mine);
      options.cuda_pages = pages;
      Runtime runtime(options);
      const Tensor x = full(runtime, {1 << 20}, 2.0F);
      EXPECT_EQ(device_of(x), mine);
      EXPECT_EQ(x.to_host()[(1 << 20) - 1], 2.0F);
      EXPECT_EQ(sum(x).item(), 2.0F * (1 << 20));
    }
  }
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
}

TEST_F(CudaSecondDevice, WhatBelongsToOneIsRefusedByTheOther) {
  Runtime first(cuda_options_of(0));
  Runtime second(cuda_options_of(1));
  const Tensor a = full(first, {4, 4}, 1.0F);
  const Tensor b = full(second, {4, 4}, 2.0F);
  for (const auto& text : {refusal_of([&] { add(a, b); }), refusal_of([&] { matmul(b, a); }),
                           refusal_of([&] { linear(a, b, Tensor()); }), refusal_of([&] { stack(std::array{a, b}); }),
                           refusal_of([&] { custom(first, "mixed", {b}, {}, [](const CustomCall&) {}); })}) {
    EXPECT_NE(text.find("runtime"), std::string::npos) << text;
    EXPECT_NE(text.find("through the host"), std::string::npos) << "what to do: " << text;
  }
  const Event of_second = second.record_event();
  EXPECT_NE(refusal_of([&] { first.wait(of_second); }).find("another runtime"), std::string::npos);
  // The way that the texts name.
  EXPECT_EQ(sum(add(a, Tensor::from_host(first, b.to_host(), {4, 4}))).item(), 48.0F);
  EXPECT_EQ(sum(b).item(), 32.0F) << "nothing was recorded by what was refused";
}

TEST_F(CudaSecondDevice, EachHasABudgetOfItsOwn) {
  Options limited = cuda_options_of(0);
  limited.memory_limit = std::uint64_t{64} << 20;
  Runtime first(limited);
  Runtime second(cuda_options_of(1));
  const auto free_of = [](Runtime& runtime) { return runtime.core().device().memory_info().free_bytes; };
  const std::size_t free_of_first = free_of(first);
  EXPECT_THROW(full(first, {64 << 20}, 1.0F), OutOfMemory);
  const Tensor large = full(second, {256 << 20}, 1.0F);  // 1 GiB
  second.synchronize();
  EXPECT_LE(first.memory_statistics().reserved, std::size_t{64} << 20);
  EXPECT_GE(second.memory_statistics().reserved, std::size_t{1} << 30);
  EXPECT_GE(free_of(first) + (std::size_t{512} << 20), free_of_first) << "the other device's memory was taken";
  EXPECT_EQ(full(first, {1}, 3.0F).item(), 3.0F);
}

// Waits between streams of the second device, tickets in pinned memory, handlers and the poller, from threads whose
// device is the first.
TEST_F(CudaSecondDevice, StreamsOfEachAreOrderedAndTheirHandlersRun) {
  std::array<std::unique_ptr<Runtime>, 2> runtimes;
  for (int i = 0; i < 2; ++i) runtimes[static_cast<std::size_t>(i)] = std::make_unique<Runtime>(cuda_options_of(i));
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  std::atomic<int> told{0};
  for (int round = 0; round < 10; ++round) {
    std::array<Tensor, 2> x;
    std::thread([&] {
      for (std::size_t i = 0; i < 2; ++i) {
        const Lease lease = runtimes[i]->lease();
        delay(*runtimes[i], 10ms);
        x[i] = full(*runtimes[i], {1000}, 1.0F + static_cast<float>(round));
        runtimes[i]->on_complete([&](const Status& status) { told.fetch_add(status.ok() ? 1 : 1000); });
      }
    }).join();
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(sum(x[i]).item(), 1000 * (1.0F + static_cast<float>(round))) << "device " << i << ", round " << round;
    }
  }
  for (auto& runtime : runtimes) runtime->synchronize();
  for (int i = 0; i < 10'000 && told.load() < 20; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(told.load(), 20);
  // Each ends on a thread whose device is the other one.
  for (int i = 0; i < 2; ++i) {
    std::thread([&, i] {
      ASSERT_EQ(cudaSetDevice(1 - i), cudaSuccess);
      EXPECT_TRUE(runtimes[static_cast<std::size_t>(i)]->shutdown().complete);
      runtimes[static_cast<std::size_t>(i)].reset();
      EXPECT_EQ(current_device(), 1 - i);
    }).join();
  }
}

// What one device does wrong is its own.
TEST_F(CudaSecondDevice, AListThatFailsOnOneLeavesTheOtherAlone) {
  Runtime first(cuda_options_of(0));
  Runtime second(cuda_options_of(1));
  custom(first, "fails", {}, {}, [](const CustomCall&) { throw std::runtime_error("oops"); });
  const Tensor x = full(second, {10}, 1.0F);
  EXPECT_THROW(first.synchronize(), DeviceError);
  EXPECT_NO_THROW(second.synchronize());
  EXPECT_EQ(sum(x).item(), 10.0F);
  EXPECT_EQ(full(first, {1}, 2.0F).item(), 2.0F);
}

TEST_F(CudaSecondDevice, AnIndexBehindTheLastIsRefused) {
  int count = 0;
  ASSERT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  const std::string text = refusal_of([&] { const Runtime runtime(cuda_options_of(count)); });
  EXPECT_NE(text.find("does not exist; allowed: 0 to " + std::to_string(count - 1)), std::string::npos) << text;
}

}  // namespace
}  // namespace heddle::test
