// What happens on the stream side after a list failed; the simulated device fails it on request.
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <thread>
#include <utility>

#include "heddle/backends/sim/device.hpp"
#include "heddle/heddle.hpp"
#include "heddle/stream/event_access.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {
namespace {

const Status kBoom(ErrorKind::kDeviceError, "boom");

class Failure : public ::testing::Test {
 protected:
  void SetUp() override {
    auto device = std::make_unique<sim::SimDevice>(SimOptions{});
    sim_ = device.get();
    CoreOptions options;
    options.limits.streams = 1;
    options.limits.streams_max = 1;
    options.memory.limit = 1 << 20;
    core_ = std::make_unique<Core>(std::move(device), options);
  }
  void TearDown() override { EXPECT_TRUE(core_->close(sync::Deadline::never())); }
  void synchronize() { Recording(core_->pool()).lane().synchronize(); }

  sim::SimDevice* sim_ = nullptr;
  std::unique_ptr<Core> core_;
};

TEST_F(Failure, SynchronizeThrowsTheErrorOnceAndTheResultKeepsIt) {
  sim_->fail_execution(StreamId{0}, Ticket{1}, kBoom);
  const Tensor x = full(*core_, {4}, 1.0f);
  EXPECT_THROW(synchronize(), DeviceError);
  EXPECT_NO_THROW(synchronize());
  EXPECT_THROW(x.to_host(), DeviceError) << "what failed must not read as a result";
  EXPECT_THROW(relu(x), DeviceError);
  EXPECT_EQ(full(*core_, {1}, 2.0f).item(), 2.0f) << "the stream works again";
}

TEST_F(Failure, TheDefaultGeneratorSurvivesTheListThatSetItUp) {
  sim_->fail_execution(StreamId{0}, Ticket{1}, kBoom);
  const Tensor lost = randn(*core_, {4});
  EXPECT_THROW(synchronize(), DeviceError);
  const Tensor next = randn(*core_, {4});
  synchronize();
  Recording recording(core_->pool());
  EXPECT_EQ(core_->default_generator(recording.lane())->subsequence, std::uint64_t{1} << 32);
}

TEST_F(Failure, C35_APointAfterACollectedErrorHasNoError) {
  sim_->fail_execution(StreamId{0}, Ticket{1}, kBoom);
  const Tensor x = full(*core_, {4}, 1.0f);
  EXPECT_THROW(synchronize(), DeviceError);
  Recording recording(core_->pool());
  EXPECT_NO_THROW(record_event(core_->pool(), recording.lane()).wait());
}

TEST_F(Failure, C35_ANewHolderHearsNothingOfTheLastOnesError) {
  const auto point = [&] {
    Status heard(ErrorKind::kDeviceError, "not called");
    {
      Recording recording(core_->pool());
      recording.lane().on_complete([&](const Status& status) { heard = status; }, {}, core_->pool());
      EXPECT_NO_THROW(record_event(core_->pool(), recording.lane()).wait());
    }
    while (core_->pool()->handler_statistics().pending != 0) sync::sleep_for(std::chrono::milliseconds(1));
    return heard;
  };
  std::thread([&] {
    sim_->fail_execution(StreamId{1}, Ticket{1}, kBoom);
    const Tensor x = full(*core_, {4}, 1.0f);
    Recording(core_->pool()).lane().commit();
    while (sim_->step()) {
    }
  }).join();
  std::thread([&] { EXPECT_TRUE(point().ok()) << "the only stream, which the thread before had"; }).join();
}

TEST_F(Failure, AStreamWithAnUncollectedErrorIsNotTakenFromItsHolder) {
  std::latch failed(1);
  std::latch tried(1);
  std::thread holder([&] {
    sim_->fail_execution(StreamId{1}, Ticket{1}, kBoom);
    const Tensor x = full(*core_, {4}, 1.0f);
    Recording(core_->pool()).lane().commit();
    while (sim_->step()) {
    }
    failed.count_down();
    tried.wait();
    EXPECT_THROW(synchronize(), DeviceError) << "its own error, not lost to another thread";
  });
  failed.wait();
  std::thread other([&] {
    EXPECT_EQ(full(*core_, {1}, 3.0f).item(), 3.0f);  // waits until the holder has collected its error
  });
  tried.count_down();
  holder.join();
  other.join();
}

}  // namespace
}  // namespace heddle
