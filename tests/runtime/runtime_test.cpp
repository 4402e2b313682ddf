#include "heddle/runtime.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "heddle/device/device.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/heddle.hpp"
#include "heddle/runtime/open_device.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {
namespace {

TEST(Runtime, SeveralLiveInOneProcessAndDoNotMix) {
  Runtime first;
  Runtime second;
  const Tensor a = full(first, {4}, 1.0f);
  const Tensor b = full(second, {4}, 2.0f);
  EXPECT_THROW(add(a, b), InvalidArgument);
  EXPECT_EQ(sum(a).item(), 4.0f);
  EXPECT_EQ(sum(b).item(), 8.0f);
}

TEST(Runtime, AfterCloseRecordingThrowsClosed) {
  Runtime runtime;
  const Tensor a = full(runtime, {4}, 1.0f);
  EXPECT_TRUE(runtime.shutdown().complete);
  EXPECT_THROW(relu(a), Closed);
  EXPECT_THROW(full(runtime, {1}, 0.0f), Closed);
  EXPECT_THROW(runtime.lease(), Closed);
  EXPECT_TRUE(runtime.shutdown().complete) << "closing again is harmless";
}

TEST(Runtime, CloseRunsWhatWasRecorded) {
  Runtime runtime;
  const Tensor a = full(runtime, {4}, 1.0f);
  std::thread([&] { full(runtime, {4}, 1.0f); }).join();
  EXPECT_TRUE(runtime.shutdown().complete);
  EXPECT_EQ(runtime.core().device().executed()[static_cast<std::size_t>(KernelId::kFill)], 2u);
  const std::vector<KernelCount> counts = runtime.executed();
  ASSERT_EQ(counts.size(), 1u) << "kernels that did nothing are left out";
  EXPECT_EQ(counts[0].kernel, "fill");
  EXPECT_EQ(counts[0].commands, 2u);
}

TEST(Runtime, TensorsMayOutliveIt) {
  Tensor kept;
  std::vector<Tensor> many;
  {
    Runtime runtime;
    kept = full(runtime, {1}, 5.0f);
    for (int i = 0; i < 10; ++i) many.push_back(randn(runtime, {16, 16}));
  }
  EXPECT_EQ(kept.item(), 5.0f) << "what was computed can still be read";
  EXPECT_THROW(relu(kept), Closed);
  many.clear();
}

TEST(Runtime, AThreadMayOutliveIt) {
  auto runtime = std::make_unique<Runtime>();
  std::thread worker;
  sync::Atomic<int> stage{0};
  worker = std::thread([&] {
    EXPECT_EQ(full(*runtime, {1}, 1.0f).item(), 1.0f);  // takes an implicit lease
    stage.store(1);
    while (stage.load() != 2) std::this_thread::yield();
  });
  while (stage.load() != 1) std::this_thread::yield();
  runtime.reset();
  stage.store(2);
  worker.join();
}

TEST(Options, AMalformedVariableIsAnErrorThatNamesIt) {
  ::setenv("HEDDLE_CPU_KERNELS", "fast", 1);
  try {
    Runtime runtime;
    ADD_FAILURE();
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "HEDDLE_CPU_KERNELS is 'fast'; allowed: best, portable");
  }
  ::unsetenv("HEDDLE_CPU_KERNELS");
}

TEST(Options, TheStructGoesBeforeTheEnvironment) {
  ::setenv("HEDDLE_MEMORY_LIMIT", "64M", 1);
  {
    Options options;
    options.memory_limit = std::uint64_t{128} << 20;
    Runtime runtime(options);
    EXPECT_EQ(runtime.memory_statistics().limit, std::size_t{128} << 20);
    Runtime other;
    EXPECT_EQ(other.memory_statistics().limit, std::size_t{64} << 20);
  }
  ::unsetenv("HEDDLE_MEMORY_LIMIT");
}

TEST(Options, AMaximumOfStreamsIsNeverRaisedSilently) {
  ::setenv("HEDDLE_STREAMS_MAX", "3", 1);
  EXPECT_EQ(resolve({}).streams_max, 3u);
  EXPECT_EQ(resolve({}).streams, 3u);
  ::setenv("HEDDLE_STREAMS", "5", 1);
  EXPECT_THROW(resolve({}), InvalidArgument) << "the two contradict";
  ::unsetenv("HEDDLE_STREAMS");
  ::unsetenv("HEDDLE_STREAMS_MAX");
}

TEST(Options, AnUnknownDeviceIsRefused) {
  Options options;
  options.device = "tpu";
  EXPECT_THROW(Runtime{options}, InvalidArgument);
}

}  // namespace
}  // namespace heddle
