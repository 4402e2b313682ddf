// The simulated device: time, order and faults are what the test says.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "heddle/backends/sim/device.hpp"
#include "heddle/backends/sim/executor.hpp"
#include "heddle/backends/sim/segments.hpp"
#include "heddle/device/scalar_maps.hpp"

namespace heddle::sim {
namespace {

constexpr auto kAsync = SubmitHint::kAsynchronous;

CommandList fill(float* out, float value, std::uint64_t count = 1) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  CommandList list;
  list.append(KernelId::kFill, FillArgs{out, count, bits});
  return list;
}
CommandList copy(float* out, const float* in) {
  CommandList list;
  list.append(KernelId::kCopyBytes, CopyBytesArgs{out, in, sizeof(float)});
  return list;
}

class Recorder final : public CompletionListener {
 public:
  void on_progress(Queue& queue) noexcept override { streams.push_back(queue.stream().value); }
  std::vector<std::uint32_t> streams;
};

class SimTest : public testing::Test {
 protected:
  SimTest() { device_.set_listener(&recorder_); }
  std::unique_ptr<Queue> queue(std::uint32_t id) {
    std::unique_ptr<Queue> out;
    EXPECT_TRUE(device_.create_queue(StreamId{id}, &out).ok());
    out->watch();
    return out;
  }
  Recorder recorder_;
  SimDevice device_{{.auto_run = false, .memory_bytes = 1 << 20}};
};

TEST_F(SimTest, NothingRunsUntilTheTestSaysSo) {
  auto q = queue(1);
  float x = 0;
  ASSERT_TRUE(device_.submit(*q, fill(&x, 3), Ticket{1}, kAsync).ok());
  EXPECT_FALSE(device_.help(*q, Ticket{1}));
  EXPECT_EQ(q->completed(), Ticket{0});
  EXPECT_TRUE(device_.step());
  EXPECT_EQ(q->completed(), Ticket{1});
  EXPECT_EQ(x, 3);
  EXPECT_FALSE(device_.step());
  EXPECT_EQ(device_.executed()[static_cast<std::size_t>(KernelId::kFill)], 1u);
}

TEST_F(SimTest, AStreamThatIsNamedRunsBeforeWhatIsDueEarlier) {
  auto one = queue(1), two = queue(2);
  float x = 0, y = 0;
  device_.set_delay(StreamId{2}, 100);
  ASSERT_TRUE(device_.submit(*one, fill(&x, 1), Ticket{1}, kAsync).ok());
  ASSERT_TRUE(device_.submit(*two, fill(&y, 2), Ticket{1}, kAsync).ok());
  ASSERT_TRUE(device_.wait_on(*two, *one, Ticket{1}).ok());
  ASSERT_TRUE(device_.submit(*two, copy(&y, &x), Ticket{2}, kAsync).ok());
  EXPECT_EQ(device_.ready(), (std::vector{StreamId{1}, StreamId{2}}));
  EXPECT_TRUE(device_.step(StreamId{2}));
  EXPECT_EQ(y, 2);
  EXPECT_EQ(device_.now_ns(), 100u);
  EXPECT_FALSE(device_.step(StreamId{2})) << "it waits for stream 1";
  EXPECT_FALSE(device_.step(StreamId{3})) << "no such stream";
  EXPECT_EQ(device_.ready(), std::vector{StreamId{1}});
  EXPECT_TRUE(device_.step(StreamId{1}));
  EXPECT_EQ(device_.now_ns(), 100u) << "time never goes back";
  EXPECT_TRUE(device_.step(StreamId{2}));
  EXPECT_EQ(y, 1);
  EXPECT_TRUE(device_.ready().empty());
  EXPECT_EQ(recorder_.streams, (std::vector<std::uint32_t>{2, 1, 2}));
}

TEST_F(SimTest, OrderIsByTimeThenStream) {
  auto two = queue(2), one = queue(1), three = queue(3);
  float x = 0;
  device_.set_delay(StreamId{1}, 100);
  device_.set_delay(StreamId{2}, 100);
  device_.set_delay(StreamId{3}, 60);
  for (std::uint64_t t = 1; t <= 2; ++t) {
    for (Queue* q : {two.get(), one.get(), three.get()}) {
      ASSERT_TRUE(device_.submit(*q, fill(&x, 1), Ticket{t}, kAsync).ok());
    }
  }
  EXPECT_EQ(device_.advance(59), 0u);
  EXPECT_EQ(device_.advance(1), 1u);
  EXPECT_EQ(device_.now_ns(), 60u);
  EXPECT_EQ(device_.advance(140), 5u);
  EXPECT_EQ(recorder_.streams, (std::vector<std::uint32_t>{3, 1, 2, 3, 1, 2}));
  EXPECT_EQ(device_.now_ns(), 200u);
}

TEST_F(SimTest, AWaitDelaysItsQueue) {
  auto a = queue(1), b = queue(2);
  float x = 0, y = 0;
  device_.set_delay(StreamId{1}, 50);
  device_.set_delay(StreamId{2}, 10);
  ASSERT_TRUE(device_.submit(*a, fill(&x, 4), Ticket{1}, kAsync).ok());
  ASSERT_TRUE(device_.wait_on(*b, *a, Ticket{1}).ok());
  ASSERT_TRUE(device_.submit(*b, copy(&y, &x), Ticket{1}, kAsync).ok());
  EXPECT_EQ(device_.advance(59), 1u);
  EXPECT_EQ(y, 0);
  EXPECT_EQ(device_.advance(1), 1u);
  EXPECT_EQ(y, 4);
}

TEST_F(SimTest, ScriptedExecutionFailureIsInherited) {
  auto a = queue(1), b = queue(2);
  float x = 0, y = 0;
  device_.fail_execution(StreamId{1}, Ticket{2}, {ErrorKind::kDeviceError, "fault"});
  CommandList three;
  for (int i = 0; i < 3; ++i) three.append(KernelId::kFill, FillArgs{&x, 1, 0x3F800000});
  ASSERT_TRUE(device_.submit(*a, std::move(three), Ticket{3}, kAsync).ok());
  ASSERT_TRUE(device_.wait_on(*b, *a, Ticket{3}).ok());
  ASSERT_TRUE(device_.submit(*b, copy(&y, &x), Ticket{1}, kAsync).ok());
  EXPECT_EQ(device_.advance(0), 2u);
  EXPECT_EQ(x, 0);
  EXPECT_EQ(a->failures().status_of(Ticket{1}).text(), "fault");
  EXPECT_EQ(b->failures().status_of(Ticket{1}).text(), "inherited from stream 1: fault");
}

TEST_F(SimTest, ALostDeviceCompletesEverything) {
  auto a = queue(1), b = queue(2);
  float x = 0;
  ASSERT_TRUE(device_.submit(*a, fill(&x, 1), Ticket{1}, kAsync).ok());
  ASSERT_TRUE(device_.wait_on(*b, *a, Ticket{1}).ok());
  ASSERT_TRUE(device_.submit(*b, fill(&x, 2), Ticket{1}, kAsync).ok());
  device_.lose({ErrorKind::kDeviceLost, "fell off"});
  EXPECT_EQ(device_.lost().text(), "fell off");
  EXPECT_EQ(a->completed(), Ticket{1});
  EXPECT_EQ(b->completed(), Ticket{1});
  EXPECT_EQ(b->failures().status_of(Ticket{1}).kind(), ErrorKind::kDeviceLost);
  EXPECT_EQ(recorder_.streams, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(device_.submit(*a, fill(&x, 1), Ticket{2}, kAsync).kind(), ErrorKind::kDeviceLost);
  EXPECT_EQ(a->completed(), Ticket{2});
  EXPECT_EQ(x, 0);
}

TEST_F(SimTest, ScriptedAllocationFailures) {
  void* segment = nullptr;
  device_.fail_allocation(2);
  for (const bool works : {true, false, true}) {
    EXPECT_EQ(device_.allocate_segment(4096, &segment).ok(), works);
    EXPECT_EQ(segment != nullptr, works);
    if (works) device_.release_segment(segment, 4096);
  }
  device_.fail_allocation(1, true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(device_.allocate_segment(4096, &segment).kind(), ErrorKind::kOutOfMemory);
  EXPECT_EQ(device_.memory_info().free_bytes, std::size_t{1} << 20);
}

TEST_F(SimTest, MemoryIsBounded) {
  void* segment = nullptr;
  ASSERT_TRUE(device_.allocate_segment(1 << 19, &segment).ok());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(segment) % 4096, 0u);
  void* more = nullptr;
  EXPECT_EQ(device_.allocate_segment((1 << 19) + 1, &more).kind(), ErrorKind::kOutOfMemory);
  device_.release_segment(segment, 1 << 19);
}

TEST(SimAutoRun, HelpRunsWhatTheQueueNeeds) {
  std::unique_ptr<Device> device;
  ASSERT_TRUE(open_sim({}, &device).ok());
  EXPECT_TRUE(device->info().executes_on_caller);
  std::unique_ptr<Queue> a, b;
  ASSERT_TRUE(device->create_queue(StreamId{1}, &a).ok());
  ASSERT_TRUE(device->create_queue(StreamId{2}, &b).ok());
  float x = 0, y = 0;
  ASSERT_TRUE(device->submit(*a, fill(&x, 6), Ticket{1}, kAsync).ok());
  ASSERT_TRUE(device->wait_on(*b, *a, Ticket{1}).ok());
  ASSERT_TRUE(device->submit(*b, copy(&y, &x), Ticket{1}, kAsync).ok());
  while (b->completed() < Ticket{1}) ASSERT_TRUE(device->help(*b, Ticket{1}));
  EXPECT_EQ(y, 6);
  EXPECT_FALSE(device->help(*b, Ticket{1}));
}

// A list that touches a segment must stay inside it; nothing of such a list runs.
TEST_F(SimTest, AnAccessThatLeavesItsSegmentFailsItsList) {
  auto q = queue(1);
  void* segment = nullptr;
  ASSERT_TRUE(device_.allocate_segment(4096, &segment).ok());
  auto* const memory = static_cast<float*>(segment);
  memory[0] = 5;
  std::uint64_t ticket = 0;
  const auto run = [&](float* out, std::uint64_t count) {
    EXPECT_TRUE(device_.submit(*q, fill(out, 7, count), Ticket{++ticket}, kAsync).ok());
    EXPECT_TRUE(device_.step());
    const Status status = q->failures().status_of(Ticket{ticket});
    device_.clear_failure(*q, Ticket{ticket});
    return status;
  };
  EXPECT_TRUE(run(memory + 1, 1023).ok());
  const Status status = run(memory, 1025);
  EXPECT_EQ(status.kind(), ErrorKind::kDeviceError);
  EXPECT_NE(status.text().find("fill f32 [1025]"), std::string::npos) << status.text();
  EXPECT_NE(status.text().find("out reaches"), std::string::npos) << status.text();
  EXPECT_EQ(memory[0], 5) << "the list did not run";
  EXPECT_FALSE(run(memory - 1, 2).ok());
  EXPECT_TRUE(run(memory, 1024).ok());
  float host = 0;
  EXPECT_TRUE(run(&host, 1).ok()) << "memory of the host is not the device's to check";
  device_.release_segment(segment, 4096);
}

TEST(SimExecutor, ContiguousElementwise) {
  const float a[3] = {-1, 2, 3}, b[1] = {10};
  float out[3] = {};
  CommandList list;
  ElementwiseArgs args{out, a, b, 1, {{3, 1, 1, 0}}};
  list.append(KernelId::kAdd, args);
  execute(CommandView(list.begin()), list, 0);
  EXPECT_EQ(out[0], 9);
  EXPECT_EQ(out[2], 13);
  list.clear();
  args = {out, a, nullptr, 1, {{3, 1, 1, 0}}};
  list.append(KernelId::kRelu, args);
  execute(CommandView(list.begin()), list, 0);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 2);
}

TEST(SimExecutor, ComputesEveryElementwiseFunction) {
  const float a[2] = {-1.5F, 3}, b[2] = {0.3F, 10};
  CommandList list;
  float out[2];
#define HEDDLE_MAP(Id, name, inputs, ...)                                                              \
  list.append(KernelId::k##Id, ElementwiseArgs{out, a, inputs == 1 ? nullptr : b, 1, {{2, 1, 1, 1}}}); \
  execute(CommandView(list.begin()), list, 0);                                                         \
  list.clear();                                                                                        \
  for (int i = 0; i < 2; ++i) EXPECT_EQ(out[i], maps::Id::apply(maps::Scalars(), a[i], b[i])) << #name;
#include "heddle/device/maps-inl.h"
}

}  // namespace
}  // namespace heddle::sim
