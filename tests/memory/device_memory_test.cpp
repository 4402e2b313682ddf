#include "heddle/memory/device_memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "heddle/memory/heap_table.hpp"
#include "heddle/memory/memory_report.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {
namespace {

Options limited(std::uint64_t bytes) {
  Options options;
  options.memory_limit = bytes;
  return options;
}

TEST(DeviceMemory, ABlockFreedOnItsStreamIsReusedThereAtOnce) {
  Runtime runtime;
  Recording recording(runtime.core().pool());
  DeviceMemory& memory = runtime.core().memory();
  Block* first = memory.allocate(recording.lane(), 5000);
  void* address = first->data;
  memory.free(first);
  Block* second = memory.allocate(recording.lane(), 5000);
  EXPECT_EQ(second->data, address);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % 256, 0u);
  memory.free(second);
}

TEST(DeviceMemory, StatisticsAddUp) {
  Runtime runtime;
  const MemoryStatistics before = runtime.memory_statistics();
  {
    const Tensor a = full(runtime, {1000}, 1.0f);
    const MemoryStatistics now = runtime.memory_statistics();
    EXPECT_EQ(now.live - before.live, 4000u);
    EXPECT_GE(now.rounded - before.rounded, 4000u);
    EXPECT_EQ(now.rounded + now.cached + now.pending, now.reserved);
  }
  runtime.synchronize();
  const MemoryStatistics after = runtime.memory_statistics();
  EXPECT_EQ(after.live_blocks, before.live_blocks);
  EXPECT_EQ(after.rounded + after.cached + after.pending, after.reserved);
  EXPECT_GT(runtime.release_cached(), 0u);
  EXPECT_EQ(runtime.memory_statistics().reserved, 0u);
}

TEST(DeviceMemory, OverTheLimitIsOutOfMemoryWithAReportAndChangesNothing) {
  Runtime runtime(limited(1 << 20));
  const Tensor kept = full(runtime, {1024}, 3.0f);
  runtime.synchronize();
  const std::size_t live = runtime.memory_statistics().live;
  try {
    full(runtime, {1 << 20}, 0.0f);
    FAIL() << "4 MiB came out of 1 MiB";
  } catch (const OutOfMemory& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("4194304 bytes were asked for"), std::string::npos) << text;
    EXPECT_NE(text.find("limit 1048576"), std::string::npos) << text;
  }
  EXPECT_EQ(runtime.memory_statistics().live, live);
  EXPECT_EQ(runtime.memory_statistics().out_of_memory, 1u);
  EXPECT_EQ(sum(add(kept, kept)).item(), 6144.0f) << "a smaller run still works";
}

TEST(DeviceMemory, MemoryThatOneStreamCachedServesAnother) {
  Runtime runtime(limited(1 << 20));
  std::thread([&] {
    const Tensor x = full(runtime, {200'000}, 1.0f);  // 800 kB of the 1 MiB, freed on that thread's stream
    runtime.synchronize();
  }).join();
  EXPECT_EQ(sum(full(runtime, {100, 2000}, 1.0f)).item(), 200'000.0f);
}

TEST(DeviceMemory, WaitsForOwnUncommittedWorkRatherThanFail) {
  Runtime runtime(limited(1 << 20));
  float total = 0;
  for (int i = 0; i < 20; ++i) {  // sizes differ, so each needs what the ones before gave back
    const std::int64_t count = 150'000 - i * 5000;
    total = sum(full(runtime, {count}, 1.0f)).item();
    EXPECT_EQ(total, static_cast<float>(count));
  }
}

TEST(DeviceMemory, ThreadsUnderATightLimitStayBelowItAndRight) {
  constexpr std::size_t kLimit = std::size_t{3} << 20;
  Runtime runtime(limited(kLimit));
  std::vector<std::thread> workers;
  workers.reserve(8);
  for (int t = 0; t < 8; ++t) {
    workers.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 200; ++i) {
        const std::int64_t count = 1 + static_cast<std::int64_t>(random() % 20'000);
        const Tensor x = full(runtime, {count}, static_cast<float>(t));
        const Tensor y = add(x, x);
        if (i % 10 == 0) {
          ASSERT_EQ(sum(y).item(), static_cast<float>(2 * count * t));
        }
      }
      runtime.synchronize();
    });
  }
  for (auto& worker : workers) worker.join();
  const MemoryStatistics statistics = runtime.memory_statistics();
  EXPECT_LE(statistics.reserved_peak, kLimit);
  EXPECT_EQ(statistics.rounded + statistics.cached + statistics.pending, statistics.reserved);
}

}  // namespace
}  // namespace heddle
