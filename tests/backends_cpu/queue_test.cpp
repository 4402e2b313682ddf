// What only the CPU engine does; what every device must do is in tests/device_suite. Lists handed over with
// kCallerWaits start only when somebody helps, which makes the order of events certain.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/backends/cpu/device.hpp"
#include "heddle/backends/cpu/help_chain.hpp"
#include "heddle/backends/cpu/open.hpp"
#include "heddle/backends/cpu/queue.hpp"
#include "heddle/backends/cpu/scheduler.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle {
namespace {

constexpr auto kAsync = SubmitHint::kAsynchronous;
constexpr auto kHeld = SubmitHint::kCallerWaits;

void fill(CommandList& list, float* out, std::uint64_t count, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  list.append(KernelId::kFill, FillArgs{out, count, bits});
}
void copy(CommandList& list, float* out, const float* in, std::uint64_t count) {
  list.append(KernelId::kCopyBytes, CopyBytesArgs{out, in, count * sizeof(float)});
}

class CpuQueueTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(open_cpu({.workers = 2, .kernels = CpuKernels::kPortable}, &device_).ok()); }
  std::unique_ptr<Queue> queue(std::uint32_t id) {
    std::unique_ptr<Queue> out;
    EXPECT_TRUE(device_->create_queue(StreamId{id}, &out).ok());
    return out;
  }
  // Closes the list at the next ticket of the queue's timeline, kept in `ticket`.
  void submit(Queue& queue, CommandList list, std::uint64_t& ticket, SubmitHint hint) {
    ticket += list.commands();
    ASSERT_TRUE(device_->submit(queue, std::move(list), Ticket{ticket}, hint).ok());
  }
  void await(Queue& queue, std::uint64_t ticket) {
    const sync::Deadline deadline = sync::Deadline::after(std::chrono::seconds(60));
    while (queue.completed() < Ticket{ticket}) {
      if (!device_->help(queue, Ticket{ticket})) sync::yield();
      ASSERT_FALSE(deadline.passed()) << "ticket " << ticket << ", completed " << queue.completed().value;
    }
  }
  // Without helping: the workers have to do it.
  void await_workers(Queue& queue, std::uint64_t ticket) {
    const sync::Deadline deadline = sync::Deadline::after(std::chrono::seconds(60));
    while (queue.completed() < Ticket{ticket}) {
      sync::yield();
      ASSERT_FALSE(deadline.passed()) << "ticket " << ticket << ", completed " << queue.completed().value;
    }
  }

  std::unique_ptr<Device> device_;
};

// What a list keeps may be the last reference to what the device belongs to, which may end once the ticket is seen.
TEST_F(CpuQueueTest, C48_WhatAListKeepsIsGoneBeforeItsTicketIsSeen) {
  auto q = queue(1);
  Ticket seen{99};
  std::array<float, 4> x{};
  CommandList list;
  std::shared_ptr<const void> watcher(x.data(), [&](const void*) { seen = q->completed(); });
  list.append(KernelId::kFill, FillArgs{x.data(), 4, 0}, Kept{std::move(watcher)});
  std::uint64_t t = 0;
  submit(*q, std::move(list), t, kAsync);
  await_workers(*q, t);
  EXPECT_EQ(seen, Ticket{0});
}

TEST_F(CpuQueueTest, HelpStopsAtTheTicketAndLeavesTheRestToWorkers) {
  auto q = queue(1);
  float x = 0, y = 0;
  std::uint64_t t = 0;
  CommandList first, second;
  fill(first, &x, 1, 1);
  fill(second, &y, 1, 2);
  submit(*q, std::move(first), t, kHeld);
  submit(*q, std::move(second), t, kHeld);
  EXPECT_TRUE(device_->help(*q, Ticket{1}));
  EXPECT_EQ(x, 1);
  await_workers(*q, 2);
  EXPECT_EQ(y, 2);
}

TEST_F(CpuQueueTest, ChainLongerThanAHelperFollows) {
  constexpr std::size_t kLength = 40;
  std::vector<std::unique_ptr<Queue>> queues;
  std::vector<float> values(kLength + 1, 0.0F);
  values[0] = 3;
  for (std::size_t i = 0; i < kLength; ++i) {
    queues.push_back(queue(static_cast<std::uint32_t>(i)));
    if (i > 0) {
      ASSERT_TRUE(device_->wait_on(*queues[i], *queues[i - 1], Ticket{1}).ok());
    }
    CommandList list;
    copy(list, &values[i + 1], &values[i], 1);
    std::uint64_t t = 0;
    submit(*queues[i], std::move(list), t, i == 0 ? kHeld : kAsync);
  }
  EXPECT_FALSE(device_->help(*queues.back(), Ticket{1}));  // too deep
  EXPECT_TRUE(device_->help(*queues.front(), Ticket{1}));
  await(*queues.back(), 1);
  EXPECT_EQ(values[kLength], 3);
}

TEST_F(CpuQueueTest, AnInheritedErrorNamesTheStreamThatFailed) {
  auto producer = queue(3), consumer = queue(4);
  float x = 0;
  std::uint64_t p = 0, c = 0;
  CommandList failing, after;
  failing.append(static_cast<KernelId>(99), FillArgs{});
  submit(*producer, std::move(failing), p, kHeld);
  ASSERT_TRUE(device_->wait_on(*consumer, *producer, Ticket{p}).ok());
  fill(after, &x, 1, 2);
  submit(*consumer, std::move(after), c, kHeld);
  await(*consumer, c);
  EXPECT_EQ(consumer->failures().status_of(Ticket{1}).text().substr(0, 25), "inherited from stream 3: ");
}

}  // namespace
}  // namespace heddle
