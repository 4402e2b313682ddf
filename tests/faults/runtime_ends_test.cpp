// Host memory that runs out while a runtime opens or ends: it is open, or gone with all its threads.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <optional>
#include <thread>

#include "faults/failing_memory.hpp"
#include "heddle/heddle.hpp"

namespace heddle {
namespace {

using test::fails_at;
using test::for_ever;

class RuntimeEnds : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { for_ever = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(OnceAndForEver, RuntimeEnds, testing::Bool());

constexpr std::size_t kMost = 2000;

std::ptrdiff_t threads() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
}

// A joined thread stays in that folder for a moment.
bool threads_come_down_to(std::ptrdiff_t count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (threads() > count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return threads() <= count;
}

Options portable() {
  Options options;
  options.device = "cpu";
  options.cpu_kernels = CpuKernels::kPortable;
  options.cpu_workers = 2;
  return options;
}

TEST_P(RuntimeEnds, C30_AnOpeningThatFailsLeavesNoThread) {
  const Options options = portable();
  {
    const Runtime first(options);
  }  // allocated once per process
  const std::ptrdiff_t before = threads();
  const std::size_t kept = runtimes_left().kept;  // by other tests of this process
  std::size_t n = 1;
  for (; n < kMost; ++n) {
    if (!fails_at(n, [&] { const Runtime runtime(options); })) break;
    ASSERT_TRUE(threads_come_down_to(before)) << n;
    ASSERT_EQ(runtimes_left().kept, kept) << n;
  }
  EXPECT_GT(n, 20u) << "an opening takes memory";
  EXPECT_LT(n, kMost);
}

TEST_P(RuntimeEnds, C49_AnIdleRuntimeEndsWithoutHostMemory) {
  const std::ptrdiff_t before = threads();
  const std::size_t kept = runtimes_left().kept;  // by other tests of this process
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    std::optional<Runtime> runtime(portable());
    EXPECT_EQ(full(*runtime, {1}, 2.0f).item(), 2.0f);
    runtime->on_complete([](const Status&) {});
    failed = fails_at(n, [&] { runtime.reset(); });
    ASSERT_TRUE(threads_come_down_to(before)) << n;
    ASSERT_EQ(runtimes_left().kept, kept) << n;
    ASSERT_EQ(runtimes_left().ending, 0u) << n;
  }
}

}  // namespace
}  // namespace heddle
