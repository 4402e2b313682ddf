// The CPU engine: order, waits, helping, failures. Lists handed over with kCallerWaits start only when somebody helps,
// which makes the order of events certain.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "heddle/backends/cpu/device.hpp"
#include "heddle/backends/cpu/help_chain.hpp"
#include "heddle/backends/cpu/open.hpp"
#include "heddle/backends/cpu/queue.hpp"
#include "heddle/backends/cpu/scheduler.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle {
namespace {

using sync::Atomic;
constexpr auto kAsync = SubmitHint::kAsynchronous;
constexpr auto kHeld = SubmitHint::kCallerWaits;

class CountingListener final : public CompletionListener {
 public:
  void on_progress(Queue& queue) noexcept override {
    calls.fetch_add(1);
    seen.store(queue.completed().value);
  }
  Atomic<int> calls{0};
  Atomic<std::uint64_t> seen{0};
};

void fill(CommandList& list, float* out, std::uint64_t count, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  list.append(KernelId::kFill, FillArgs{out, count, bits});
}
void copy(CommandList& list, float* out, const float* in, std::uint64_t count) {
  list.append(KernelId::kCopyBytes, CopyBytesArgs{out, in, count * sizeof(float)});
}
void add(CommandList& list, float* out, const float* a, const float* b, std::int64_t count) {
  ElementwiseArgs args{};
  args.out = out;
  args.a = a;
  args.b = b;
  args.rank = 1;
  args.dims[0] = {count, 1, 1, 1};
  list.append(KernelId::kAdd, args);
}
void bad(CommandList& list) { list.append(static_cast<KernelId>(99), FillArgs{}); }

class CpuQueueTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(open_cpu({.workers = 2, .kernels = CpuKernels::kPortable}, &device_).ok());
    device_->set_listener(&listener_);
  }
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

  CountingListener listener_;
  std::unique_ptr<Device> device_;
};

TEST_F(CpuQueueTest, ListsRunInOrder) {
  auto q = queue(1);
  std::array<float, 4> x{}, y{};
  std::uint64_t t = 0;
  for (int i = 1; i <= 200; ++i) {  // x = i; y = y + x
    CommandList list = device_->recycled_list(*q);
    fill(list, x.data(), 4, static_cast<float>(i));
    add(list, y.data(), y.data(), x.data(), 4);
    submit(*q, std::move(list), t, kAsync);
  }
  await_workers(*q, t);
  EXPECT_EQ(t, 400u);
  EXPECT_EQ(x, (std::array<float, 4>{200, 200, 200, 200}));
  EXPECT_EQ(y[3], 200.0F * 201 / 2);
  EXPECT_EQ(q->completed(), Ticket{400});
}

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

TEST_F(CpuQueueTest, CallerRunsItsListItself) {
  auto q = queue(1);
  float x = 0;
  std::uint64_t t = 0;
  CommandList list;
  fill(list, &x, 1, 7);
  submit(*q, std::move(list), t, kHeld);
  EXPECT_EQ(q->completed(), Ticket{0});  // no worker was told
  EXPECT_TRUE(device_->help(*q, Ticket{t}));
  EXPECT_EQ(q->completed(), Ticket{t});
  EXPECT_EQ(x, 7);
  EXPECT_FALSE(device_->help(*q, Ticket{t}));
  EXPECT_TRUE(device_->recycled_list(*q).empty());
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

TEST_F(CpuQueueTest, WaiterSubmittedBeforeItsProducerRuns) {
  auto producer = queue(1), consumer = queue(2);
  float x = 0, y = 0;
  std::uint64_t p = 0, c = 0;
  CommandList make, use;
  fill(make, &x, 1, 5);
  submit(*producer, std::move(make), p, kHeld);
  ASSERT_TRUE(device_->wait_on(*consumer, *producer, Ticket{p}).ok());
  copy(use, &y, &x, 1);
  submit(*consumer, std::move(use), c, kAsync);
  sync::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(consumer->completed(), Ticket{0});
  EXPECT_TRUE(device_->help(*producer, Ticket{p}));
  await_workers(*consumer, c);  // made ready by the producer's end
  EXPECT_EQ(y, 5);
}

TEST_F(CpuQueueTest, HelpOnTheConsumerRunsTheProducers) {
  auto a = queue(1), b = queue(2), c = queue(3);
  float x = 0, y = 0, z = 0;
  std::uint64_t ta = 0, tb = 0, tc = 0;
  CommandList la, lb, lc;
  fill(la, &x, 1, 5);
  submit(*a, std::move(la), ta, kHeld);
  ASSERT_TRUE(device_->wait_on(*b, *a, Ticket{ta}).ok());
  add(lb, &y, &x, &x, 1);
  submit(*b, std::move(lb), tb, kHeld);
  ASSERT_TRUE(device_->wait_on(*c, *b, Ticket{tb}).ok());
  add(lc, &z, &y, &x, 1);
  submit(*c, std::move(lc), tc, kHeld);
  await(*c, tc);
  EXPECT_EQ(z, 15);
  EXPECT_EQ(a->completed(), Ticket{ta});
  EXPECT_EQ(b->completed(), Ticket{tb});
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

TEST_F(CpuQueueTest, ManyThreadsEachWithItsQueue) {
  constexpr int kThreads = 8, kLists = 300;
  std::vector<std::unique_ptr<Queue>> queues;
  queues.reserve(kThreads);
  for (std::uint32_t i = 0; i < kThreads; ++i) queues.push_back(queue(i));
  std::vector<float> sums(kThreads, 0.0F);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      float one = 0;
      std::uint64_t t = 0;
      for (int n = 0; n < kLists; ++n) {
        CommandList list = device_->recycled_list(*queues[i]);
        fill(list, &one, 1, 1);
        add(list, &sums[i], &sums[i], &one, 1);
        const bool wait = n % 3 == 2;
        submit(*queues[i], std::move(list), t, wait ? kHeld : kAsync);
        if (wait) await(*queues[i], t);
      }
      await(*queues[i], t);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const float sum : sums) EXPECT_EQ(sum, kLists);
  const KernelCounts counts = device_->executed();
  EXPECT_EQ(counts[static_cast<std::size_t>(KernelId::kFill)], std::uint64_t{kThreads} * kLists);
  EXPECT_EQ(counts[static_cast<std::size_t>(KernelId::kAdd)], std::uint64_t{kThreads} * kLists);
}

// A token goes round a ring of queues: every list reads what the previous queue wrote, and queues come and go.
TEST_F(CpuQueueTest, RingOfWaits) {
  constexpr std::size_t kQueues = 4, kRounds = 100;
  for (const SubmitHint hint : {kAsync, kHeld}) {
    std::vector<std::unique_ptr<Queue>> queues;
    queues.reserve(kQueues);
    std::array<std::uint64_t, kQueues> tickets{};
    std::array<float, kQueues> values{};
    float one = 1;
    for (std::uint32_t i = 0; i < kQueues; ++i) queues.push_back(queue(i));
    for (std::size_t n = 0; n < kQueues * kRounds; ++n) {
      const std::size_t at = n % kQueues, before = (n + kQueues - 1) % kQueues;
      ASSERT_TRUE(device_->wait_on(*queues[at], *queues[before], Ticket{tickets[before]}).ok());
      CommandList list;
      add(list, &values[at], &values[before], &one, 1);
      submit(*queues[at], std::move(list), tickets[at], hint);
    }
    for (std::size_t i = kQueues; i-- > 0;) await(*queues[i], tickets[i]);
    EXPECT_EQ(values[kQueues - 1], static_cast<float>(kQueues * kRounds));
  }
}

// Threads that wait for each other's queues while queues are destroyed as soon as they are complete.
TEST_F(CpuQueueTest, QueuesDieWhileOthersFinish) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  Atomic<int> wrong{0};
  for (std::uint32_t id = 0; id < 4; ++id) {
    threads.emplace_back([&, id] {
      for (int n = 0; n < 100; ++n) {
        auto a = queue(id * 2), b = queue(id * 2 + 1);
        float x = 0, y = 0;
        std::uint64_t ta = 0, tb = 0;
        CommandList make, use;
        fill(make, &x, 1, static_cast<float>(n));
        submit(*a, std::move(make), ta, kAsync);
        (void)device_->wait_on(*b, *a, Ticket{ta});
        copy(use, &y, &x, 1);
        submit(*b, std::move(use), tb, n % 2 == 0 ? kAsync : kHeld);
        (void)device_->wait_on(*b, *a, Ticket{ta});
        await(*b, tb);
        if (y != static_cast<float>(n)) wrong.fetch_add(1);
        a.reset();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(device_->executed()[static_cast<std::size_t>(KernelId::kFill)], 400u);  // of queues that are gone
}

TEST_F(CpuQueueTest, FailedQueueSkipsUntilCleared) {
  auto q = queue(3);
  float x = 0;
  std::uint64_t t = 0;
  CommandList good, failing, skipped;
  fill(good, &x, 1, 1);
  submit(*q, std::move(good), t, kAsync);
  fill(failing, &x, 1, 2);
  bad(failing);
  submit(*q, std::move(failing), t, kAsync);  // tickets 2 and 3
  fill(skipped, &x, 1, 9);
  submit(*q, std::move(skipped), t, kAsync);
  await(*q, t);
  EXPECT_EQ(q->completed(), Ticket{4});
  EXPECT_EQ(x, 2);
  EXPECT_TRUE(q->failures().status_of(Ticket{1}).ok());
  EXPECT_EQ(q->failures().status_of(Ticket{2}).kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(q->failures().status_of(Ticket{4}).kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(device_->executed()[static_cast<std::size_t>(KernelId::kFill)], 2u);  // the skipped one does not count

  device_->clear_failure(*q, Ticket{t});
  CommandList again;
  fill(again, &x, 1, 4);
  submit(*q, std::move(again), t, kHeld);
  await(*q, t);
  EXPECT_EQ(x, 4);
  EXPECT_TRUE(q->failures().status_of(Ticket{t}).ok());
}

TEST_F(CpuQueueTest, WaitingOnAFailedTicketFails) {
  for (const bool already_complete : {false, true}) {
    auto producer = queue(3), consumer = queue(4);
    float x = 0;
    std::uint64_t p = 0, c = 0;
    CommandList failing, before, after;
    bad(failing);
    submit(*producer, std::move(failing), p, kHeld);
    if (already_complete) await(*producer, p);
    fill(before, &x, 1, 1);
    submit(*consumer, std::move(before), c, kHeld);
    ASSERT_TRUE(device_->wait_on(*consumer, *producer, Ticket{p}).ok());
    fill(after, &x, 1, 2);
    submit(*consumer, std::move(after), c, kHeld);
    await(*consumer, c);
    EXPECT_EQ(x, 1);
    EXPECT_TRUE(consumer->failures().status_of(Ticket{1}).ok());
    const Status status = consumer->failures().status_of(Ticket{2});
    EXPECT_EQ(status.kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(status.text().substr(0, 25), "inherited from stream 3: ");
  }
}

TEST_F(CpuQueueTest, AnOrderBehindAFailedTicketInheritsNothing) {
  for (const bool already_complete : {false, true}) {
    auto producer = queue(3), consumer = queue(4);
    float x = 0;
    std::uint64_t p = 0, c = 0;
    CommandList failing, after;
    bad(failing);
    submit(*producer, std::move(failing), p, kHeld);
    if (already_complete) await(*producer, p);
    ASSERT_TRUE(device_->order_on(*consumer, *producer, Ticket{p}).ok());
    fill(after, &x, 1, 2);
    submit(*consumer, std::move(after), c, kHeld);
    await(*consumer, c);
    EXPECT_EQ(producer->completed(), Ticket{p}) << "in order all the same";
    EXPECT_EQ(x, 2);
    EXPECT_FALSE(producer->failures().status_of(Ticket{p}).ok());
    EXPECT_TRUE(consumer->failures().status_of(Ticket{1}).ok());
  }
}

TEST_F(CpuQueueTest, ListenerHearsOfWatchedQueuesOnly) {
  auto q = queue(1);
  float x = 0;
  std::uint64_t t = 0;
  CommandList first, second;
  fill(first, &x, 1, 1);
  submit(*q, std::move(first), t, kHeld);
  await(*q, t);
  EXPECT_EQ(listener_.calls.load(), 0);
  q->watch();
  fill(second, &x, 1, 2);
  submit(*q, std::move(second), t, kHeld);
  await(*q, t);
  EXPECT_EQ(listener_.calls.load(), 1);
  EXPECT_EQ(listener_.seen.load(), 2u);
  q->unwatch();
}

}  // namespace
}  // namespace heddle
