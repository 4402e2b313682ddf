// The ways in and out that do not wait, and memory of the user's: tensor/tensor.hpp, tensor/host_copy.hpp,
// tensor/timing_event.hpp.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "heddle/backends/sim/device.hpp"
#include "heddle/heddle.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/stream/event_access.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {
namespace {

// A device that stands still until the test steps it.
class Stepped : public ::testing::Test {
 protected:
  void SetUp() override {
    auto device = std::make_unique<sim::SimDevice>(SimOptions{.auto_run = false});
    sim_ = device.get();
    CoreOptions options;
    options.memory.limit = 1 << 20;
    core_ = std::make_unique<Core>(std::move(device), options);
  }
  void TearDown() override {
    run_all();
    EXPECT_TRUE(core_->close(sync::Deadline::never()));
  }
  void commit() { Recording(core_->pool()).lane().commit(); }
  void run_all() {
    while (sim_->step()) {
    }
  }
  sim::SimDevice* sim_ = nullptr;
  std::unique_ptr<Core> core_;
};

TEST_F(Stepped, FromHostAsyncKeepsTheMovedValuesUntilTheDeviceHasReadThem) {
  std::vector<float> values(1000);
  std::iota(values.begin(), values.end(), 0.0F);
  const float* const where = values.data();
  const Tensor x = Tensor::from_host_async(*core_, std::move(values), {1000});
  const HostCopy copy = x.to_host_async();
  EXPECT_FALSE(copy.ready()) << "the device has not moved";
  const std::vector<float> scribble(1000, -1.0F);  // would land in freed memory
  EXPECT_EQ(where[999], 999.0F) << "no copy was made, and the values are still there";
  run_all();
  ASSERT_TRUE(copy.ready());
  EXPECT_EQ(copy.values().size(), 1000U);
  EXPECT_EQ(copy.values()[999], 999.0F);
}

TEST_F(Stepped, ToHostAsyncOutlivesItsTensorAndItsStreamsLaterWork) {
  HostCopy copy = full(*core_, {4}, 3.0F).to_host_async();
  const Tensor other = full(*core_, {4}, 9.0F);  // takes the freed memory
  commit();
  run_all();
  for (const float value : copy.values()) EXPECT_EQ(value, 3.0F);
}

TEST_F(Stepped, ExternalMemoryIsGivenBackOnceNoStreamUsesIt) {
  alignas(64) std::array<float, 4> mine{1, 2, 3, 4};
  int given_back = 0;
  HostCopy copy = [&] {
    const Tensor x = Tensor::from_external(*core_, mine.data(), {4}, {}, [&] { ++given_back; });
    EXPECT_EQ(x.data(), mine.data());
    return add(x, x).to_host_async();
  }();
  EXPECT_EQ(given_back, 0) << "the device has not read it yet";
  run_all();
  EXPECT_EQ(copy.values()[3], 8.0F);
  Recording(core_->pool()).lane().synchronize();
  ASSERT_TRUE(core_->pool()->stop_handlers(sync::Deadline::never()));  // the deleter runs on the handler thread
  EXPECT_EQ(given_back, 1);
}

TEST_F(Stepped, ExternalMemoryThatNobodyUsedIsGivenBackAtOnce) {
  alignas(64) std::array<float, 1> mine{1};
  int given_back = 0;
  {
    const Tensor x = Tensor::from_external(*core_, mine.data(), {1}, {}, [&] { ++given_back; });
  }
  EXPECT_EQ(given_back, 1);
}

TEST_F(Stepped, ExternalMemoryIsReadBehindItsEvent) {
  alignas(64) std::array<float, 2> mine{0, 0};
  Event written;
  std::thread([&] {  // fills it on a stream of its own
    const std::vector<Tensor> none = custom(*core_, "fill", {}, {}, [&](const CustomCall&) { mine = {5, 6}; });
    Recording recording(core_->pool());
    recording.lane().commit();
    written = EventAccess::make(core_->pool(), recording.lane(), recording.lane().committed());
  })
      .join();
  const Tensor x = Tensor::from_external(*core_, mine.data(), {2}, written);
  const HostCopy copy = x.to_host_async();
  run_all();
  EXPECT_EQ(copy.values()[1], 6.0F);
}

TEST_F(Stepped, ExternalMemoryIsCheckedFirst) {
  std::array<float, 2> mine{};
  EXPECT_THROW(Tensor::from_external(*core_, nullptr, {1}), InvalidArgument);
  EXPECT_THROW(Tensor::from_external(*core_, reinterpret_cast<std::byte*>(mine.data()) + 1, {1}), InvalidArgument);
  Runtime other;
  full(other, {1}, 0.0F);
  EXPECT_THROW(Tensor::from_external(*core_, mine.data(), {2}, other.record_event()), InvalidArgument);
  EXPECT_EQ(core_->memory().statistics().live_blocks, 0U);
  EXPECT_THROW(static_cast<void>(Tensor().data()), InvalidArgument);
  EXPECT_THROW(Tensor().to_host_async(), InvalidArgument);
  EXPECT_THROW(Tensor::from_host_async(*core_, {1.0F, 2.0F}, {3}), InvalidArgument);
}

TEST_F(Stepped, TimingEventsMeasureTheDevicesClock) {
  const StreamId stream = Recording(core_->pool()).lane().id();
  const TimingEvent start(*core_);
  sim_->set_delay(stream, 1500);
  const Tensor x = full(*core_, {4}, 1.0F);
  TimingEvent end(*core_);
  run_all();
  EXPECT_EQ(end.since(start).count(), 1500);
  EXPECT_EQ(start.since(end).count(), -1500);
  const TimingEvent taken = std::move(end);
  EXPECT_THROW(static_cast<void>(end.since(start)), InvalidArgument);  // NOLINT: moved from, on purpose
  EXPECT_EQ(taken.since(start).count(), 1500);
}

TEST(CustomOperation, ReadsItsInputsAndWritesItsOutputs) {
  Runtime runtime;
  if (!runtime.device_info().host_accessible) GTEST_SKIP() << "the function computes on the host";
  const Tensor a = full(runtime, {2, 3}, 2.0F);
  const Tensor b = transpose(Tensor::from_host(runtime, std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2}));
  const std::vector<Tensor> results = custom(runtime, "weighted", {a, b}, {{2, 3}, {1}}, [](const CustomCall& call) {
    const auto& [x, y] = std::pair(call.inputs[0], call.inputs[1]);
    auto* out = static_cast<float*>(call.outputs[0].data);
    float total = 0;
    for (std::int64_t i = 0; i < 2; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) {
        out[i * 3 + j] = static_cast<const float*>(x.data)[i * x.strides[0] + j * x.strides[1]] *
                         static_cast<const float*>(y.data)[i * y.strides[0] + j * y.strides[1]];
        total += out[i * 3 + j];
      }
    }
    *static_cast<float*>(call.outputs[1].data) = total;
  });
  EXPECT_EQ(relu(results[0]).to_host(), (std::vector<float>{2, 6, 10, 4, 8, 12}));
  EXPECT_EQ(results[1].item(), 42.0F);
}

TEST(CustomOperation, WhatItThrowsFailsItsListAndNamesIt) {
  Runtime runtime;
  custom(runtime, "bad", {}, {}, [](const CustomCall&) { throw std::runtime_error("no luck"); });
  try {
    runtime.synchronize();
    ADD_FAILURE();
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("'bad' threw: no luck"), std::string::npos) << error.what();
  }
  EXPECT_EQ(full(runtime, {1}, 4.0F).item(), 4.0F) << "the stream works again";
}

TEST(CustomOperation, MayNeitherRecordNorWait) {
  Runtime runtime;
  for (const bool own_thread : {true, false}) {
    ErrorKind recorded = ErrorKind::kOk;
    ErrorKind waited = ErrorKind::kOk;
    const Tensor pending = full(runtime, {4}, 1.0F);
    custom(runtime, "nested", {}, {}, [&](const CustomCall&) {
      try {
        full(runtime, {1}, 1.0F);
      } catch (const Error& error) {
        recorded = error.kind();
      }
      try {
        runtime.shutdown();
      } catch (const Error& error) {
        waited = error.kind();
      }
    });
    if (own_thread) {
      runtime.synchronize();  // runs the list here
    } else {
      const Event event = runtime.record_event();
      while (!event.query()) std::this_thread::yield();  // a worker runs it
    }
    EXPECT_EQ(recorded, ErrorKind::kInvalidArgument);
    EXPECT_EQ(waited, ErrorKind::kWouldBlock);
  }
}

TEST(CustomOperation, IsCheckedWhenItIsRecorded) {
  Runtime runtime;
  Runtime other;
  EXPECT_THROW(custom(runtime, "x", {}, {}, nullptr), InvalidArgument);
  EXPECT_THROW(custom(runtime, "x", {Tensor()}, {}, [](const CustomCall&) {}), InvalidArgument);
  EXPECT_THROW(custom(runtime, "x", {full(other, {1}, 0.0F)}, {}, [](const CustomCall&) {}), InvalidArgument);
}

TEST(ExternalMemory, C45_IsRefusedOnceItsRuntimeHasClosed) {
  alignas(64) std::array<float, 4> mine{};
  auto runtime = std::make_unique<Runtime>();
  const Tensor kept = full(*runtime, {4}, 1.0F);  // so the core outlives its runtime
  int given_back = 0;
  const auto adopt = [&](Core& core) { Tensor::from_external(core, mine.data(), {4}, {}, [&] { ++given_back; }); };
  runtime->shutdown();
  EXPECT_THROW(adopt(*runtime), Closed);
  runtime.reset();
  EXPECT_THROW(adopt(kept.core()), Closed);
  EXPECT_EQ(given_back, 0) << "it was not taken";
}

TEST(HostCopies, OneThatWasMovedFromHasNoValues) {
  Runtime runtime;
  HostCopy copy = full(runtime, {4}, 1.0F).to_host_async();
  const HostCopy moved = std::move(copy);
  EXPECT_EQ(moved.values().size(), 4U);
  EXPECT_TRUE(copy.values().empty());  // NOLINT(bugprone-use-after-move)
}

// C58: the stream of the event that the memory is ready with is one that uses it.
TEST(ExternalMemory, C58_ItsDeleterWaitsForTheEventThatItIsReadyWith) {
  Runtime runtime;
  if (!runtime.device_info().host_accessible) GTEST_SKIP() << "the function computes on the host";
  std::vector<float> memory(4);
  std::latch dropped(1);
  std::atomic<bool> written{false};
  std::atomic<int> written_first{-1};
  custom(runtime, "writes", {}, {}, [&](const CustomCall&) {
    dropped.wait();
    memory.assign(4, 1.0F);
    written = true;
  });
  const Event ready = runtime.record_event();
  {
    const Tensor x =
        Tensor::from_external(runtime, memory.data(), {4}, ready, [&] { written_first = written.load() ? 1 : 0; });
  }
  EXPECT_EQ(written_first.load(), -1) << "the memory is still being written";
  dropped.count_down();
  runtime.synchronize();
  EXPECT_TRUE(runtime.shutdown().complete);
  EXPECT_EQ(written_first.load(), 1);
}

// C19: what a custom operation threw is destroyed where waiting is forbidden, as the operation itself runs.
TEST(CustomOperation, C19_ADestructorOfWhatItThrewCannotShutDown) {
  struct Ends {
    Ends(Runtime& of, std::atomic<int>& was) : runtime(&of), refused(&was) {}
    Ends(const Ends& other) = default;
    ~Ends() {
      try {
        runtime->shutdown(std::chrono::seconds(20));
        *refused = -1;
      } catch (const WouldBlock&) {
        ++*refused;
      }
    }
    Runtime* runtime;
    std::atomic<int>* refused;
  };
  std::atomic<int> refused{0};
  Runtime runtime;
  if (!runtime.device_info().host_accessible) GTEST_SKIP() << "a device that calls functions at submit";
  custom(runtime, "throws", {}, {}, [&](const CustomCall&) { throw Ends(runtime, refused); });
  EXPECT_THROW(runtime.synchronize(), DeviceError);
  EXPECT_GT(refused.load(), 0);
}

}  // namespace
}  // namespace heddle
