// Order between streams, tickets, handlers and events on the real device; heddle/backends/cuda/queue.hpp,
// heddle/backends/cuda/event_ring.hpp, heddle/backends/cuda/lane_slots.hpp.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "backends_cuda/gpu.hpp"

namespace heddle::test {
namespace {

using namespace std::chrono_literals;

class CudaStreams : public Gpu {};

TEST_F(CudaStreams, ResultsOfAnotherStreamAreWaitedForOnTheDevice) {
  Runtime runtime(cuda_options());
  Tensor x;
  std::thread([&] {
    const Lease lease = runtime.lease();
    delay(runtime, 100ms);
    x = full(runtime, {1000}, 3.0F);
    runtime.commit();
  }).join();
  const Tensor y = add(x, x);
  EXPECT_EQ(y.to_host()[999], 6.0F);
}

// What a block is reused for must not overtake the foreign stream that still reads it.
TEST_F(CudaStreams, MemoryThatAnotherStreamReadsIsNotReusedUnderIt) {
  Runtime runtime(cuda_options());
  std::mutex mutex;
  for (int round = 0; round < 5; ++round) {
    Tensor copy;
    std::thread reader;
    {
      const Tensor x = full(runtime, {1 << 16}, 1.0F + static_cast<float>(round));
      runtime.commit();
      std::barrier recorded(2);
      reader = std::thread([&] {
        const Lease lease = runtime.lease();
        delay(runtime, 50ms);
        const Tensor y = relu(x);
        runtime.commit();
        {
          const std::lock_guard lock(mutex);
          copy = y;
        }
        recorded.arrive_and_wait();
      });
      recorded.arrive_and_wait();
    }
    // Of the size that was just freed, written at once.
    for (int i = 0; i < 8; ++i) const Tensor other = full(runtime, {1 << 16}, -1.0F);
    runtime.commit();
    reader.join();
    EXPECT_EQ(copy.to_host()[12345], 1.0F + static_cast<float>(round));
  }
}

// That the test above can fail: a reader that declares no use of what it reads is overtaken.
TEST_F(CudaStreams, APlantedReuseIsSeen) {
  Runtime runtime(cuda_options());
  std::shared_ptr<std::byte> read = runtime.core().device().allocate_host(sizeof(float));
  {
    const Tensor x = full(runtime, {1 << 16}, 1.0F);
    runtime.synchronize();
    void* const address = address_of(x);
    std::thread([&] {
      const Lease lease = runtime.lease();
      delay(runtime, 200ms);
      custom(runtime, "undeclared", {}, {}, [&](const CustomCall& call) {
        cudaMemcpyAsync(read.get(), address, sizeof(float), cudaMemcpyDefault,
                        static_cast<cudaStream_t>(call.native_handle));
      });
      runtime.commit();
    }).join();
  }
  for (int i = 0; i < 8; ++i) const Tensor other = full(runtime, {1 << 16}, -1.0F);
  runtime.synchronize();
  std::thread([&] { EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess); }).join();
  float value = 0;
  std::memcpy(&value, read.get(), sizeof(value));
  EXPECT_EQ(value, -1.0F);
}

// 128 threads, each on a stream of its own, publish a tensor each round; others add what they find, so that streams
// wait for streams at random, and read whether the sum is what it must be. Empty, or what went wrong first.
std::string many_streams_with_random_waits() {
  constexpr int kThreads = 128;
  constexpr int kRounds = 20;
  Options options = cuda_options();
  options.streams = kThreads;
  options.streams_max = 2 * kThreads;
  Runtime runtime(options);
  struct Published {
    Tensor tensor;
    double value = 0;
  };
  std::vector<Published> table(kThreads);
  std::mutex mutex;
  std::string problem;
  std::barrier all_have_streams(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::string mine_went_wrong;
      bool arrived = false;
      try {
        const Lease lease = runtime.lease();
        arrived = true;
        all_have_streams.arrive_and_wait();
        std::mt19937 random(static_cast<unsigned>(t));
        for (int round = 0; round < kRounds; ++round) {
          Published mine{full(runtime, {257}, static_cast<float>(t)), static_cast<double>(t)};
          for (int i = 0; i < 3; ++i) {
            Published other;
            {
              const std::lock_guard lock(mutex);
              other = table[random() % kThreads];
            }
            if (!other.tensor.defined() || other.value > 1e6) continue;
            mine = {add(mine.tensor, other.tensor), mine.value + other.value};
          }
          runtime.commit();
          {
            const std::lock_guard lock(mutex);
            table[static_cast<std::size_t>(t)] = mine;
          }
          const float found = mine.tensor.to_host()[256];
          if (static_cast<double>(found) == mine.value) continue;
          mine_went_wrong = "thread " + std::to_string(t) + ": " + std::to_string(found) + " instead of " +
                            std::to_string(mine.value);
        }
      } catch (const std::exception& error) {
        mine_went_wrong = error.what();
        if (!arrived) all_have_streams.arrive_and_drop();
      }
      const std::lock_guard lock(mutex);
      if (problem.empty()) problem = mine_went_wrong;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return problem;
}

TEST_F(CudaStreams, ManyStreamsWithRandomWaitsFinishAndAgree) { EXPECT_EQ(many_streams_with_random_waits(), ""); }

// The driver reads how many connections to make once a process, so this is one of its own. On one connection the
// streams share one queue into the device: a wait that came before what it waits for would hang there.
TEST_F(CudaStreams, TheSameOnOneHardwareConnection) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr const char* kVariable = "CUDA_DEVICE_MAX_CONNECTIONS";
  const char* const set = std::getenv(kVariable);
  const std::string before = set != nullptr ? set : "";
  ASSERT_EQ(setenv(kVariable, "1", 1), 0);
  EXPECT_EXIT(
      {
        const std::string problem = many_streams_with_random_waits();
        const std::string kernels = Runtime(cuda_options()).device_info().kernels;
        std::fprintf(stderr, "%s; %s\n", problem.empty() ? "all agree" : problem.c_str(), kernels.c_str());
        std::exit(problem.empty() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "all agree; .*hardware connections: 1");
  if (set != nullptr) {
    setenv(kVariable, before.c_str(), 1);
  } else {
    unsetenv(kVariable);
  }
}

TEST_F(CudaStreams, EventsAndHandlersComeAfterTheWorkAndInOrder) {
  Runtime runtime(cuda_options());
  std::vector<int> order;
  std::atomic<int> done{0};
  delay(runtime, 50ms);
  const Event early = runtime.record_event();
  EXPECT_FALSE(early.query());
  for (int i = 0; i < 100; ++i) {
    const Tensor x = full(runtime, {8}, static_cast<float>(i));
    runtime.on_complete([&, i](const Status& status) {
      if (status.ok()) order.push_back(i);
      ++done;
    });
  }
  runtime.synchronize();
  EXPECT_TRUE(early.query());
  while (done.load() < 100) std::this_thread::yield();
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(CudaStreams, EventWaitHasADeadline) {
  Runtime runtime(cuda_options());
  delay(runtime, 200ms);
  const Event event = runtime.record_event();
  EXPECT_FALSE(event.wait_for(5ms));
  EXPECT_TRUE(event.wait_for(10s));
}

TEST_F(CudaStreams, AListThatFailsAtSubmitFailsItsTicketsAndTheStreamGoesOn) {
  Runtime runtime(cuda_options());
  const Tensor before = full(runtime, {4}, 1.0F);
  custom(runtime, "bad", {}, {}, [](const CustomCall&) { throw std::runtime_error("no luck"); });
  const Tensor after = full(runtime, {4}, 2.0F);
  EXPECT_THROW(runtime.synchronize(), DeviceError);
  EXPECT_EQ(full(runtime, {1}, 4.0F).item(), 4.0F);
}

TEST_F(CudaStreams, AStreamThatWaitsForAFailedOneInheritsTheError) {
  Runtime runtime(cuda_options());
  Event failed;
  std::thread([&] {
    const Lease lease = runtime.lease();
    custom(runtime, "bad", {}, {}, [](const CustomCall&) { throw std::runtime_error("no luck"); });
    failed = runtime.record_event();
    try {
      failed.wait();
    } catch (const Error&) {
      return;
    }
    ADD_FAILURE() << "the event of a failed list";
  }).join();
  runtime.wait(failed);
  full(runtime, {1}, 1.0F);
  try {
    runtime.synchronize();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no luck"), std::string::npos) << error.what();
  }
}

TEST_F(CudaStreams, TimingEventsMeasureTheDevicesClock) {
  Runtime runtime(cuda_options());
  full(runtime, {1}, 1.0F);
  const TimingEvent start(runtime);
  delay(runtime, 20ms);
  const TimingEvent end(runtime);
  EXPECT_GE(end.since(start), 19ms);
  EXPECT_LT(end.since(start), 2s);
}

TEST_F(CudaStreams, HostBuffersGoWhenTheDeviceHasReadThem) {
  Runtime runtime(cuda_options());
  const auto kept = std::make_shared<int>(1);
  custom(runtime, "holder", {}, {}, [kept](const CustomCall&) {});
  runtime.synchronize();
  full(runtime, {1}, 1.0F);
  runtime.synchronize();
  EXPECT_EQ(kept.use_count(), 1) << "the next submit lets go of what the last lists held";
}

TEST_F(CudaStreams, StagingAddressesRepeat) {
  Runtime runtime(cuda_options());
  const Tensor x = full(runtime, {1000}, 1.0F);
  const float* first = nullptr;
  for (int i = 0; i < 10; ++i) {
    const std::shared_ptr<std::byte> memory = runtime.core().device().allocate_host(4000);
    const auto* const address = reinterpret_cast<const float*>(memory.get());
    if (first == nullptr) first = address;
    EXPECT_EQ(address, first);
  }
}

}  // namespace
}  // namespace heddle::test
