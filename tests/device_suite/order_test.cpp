// Contract 1: the order of one queue, and different queues side by side.
#include <thread>

#include "device_suite/suite.hpp"

namespace heddle::suite {
namespace {

// cell 0 = i, cell 1 += cell 0, for i = 1 to `most`.
constexpr int kMost = 100;
constexpr float kSum = kMost * (kMost + 1) / 2;

TEST_P(DeviceSuite, Contract1a_ListsRunInTheirOrder) {
  SUITE_NEEDS_RESULTS();
  submit(a(), fill(1, 0));
  for (int i = 1; i <= kMost; ++i) {
    CommandList list = device().recycled_list(*a().queue);
    append_fill(list, cell(0), static_cast<float>(i));
    append_add(list, cell(1), cell(1), cell(0));
    submit(a(), std::move(list));
  }
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(value_of(0), kMost);
  EXPECT_EQ(value_of(1), kSum);
}

TEST_P(DeviceSuite, Contract1a_AWaitHoldsBackWhatIsAfterItAndNothingBefore) {
  SUITE_NEEDS_RESULTS();
  SUITE_NEEDS_HOLD();
  submit(b(), fill(0, 1));
  submit(b(), fill(1, 2));
  ASSERT_TRUE(reach(b()));
  CommandList held = held_list(a());
  append_fill(held, cell(0), 7);
  submit_held(a(), std::move(held));
  submit(b(), copy(1, 0), SubmitHint::kCallerWaits);
  ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, a().last()).ok());
  submit(b(), copy(2, 0), SubmitHint::kCallerWaits);
  ASSERT_TRUE(reach(b(), 3));
  EXPECT_EQ(a().queue->completed(), Ticket{0}) << "the list before the wait had no use for it";
  EXPECT_EQ(b().queue->completed(), Ticket{3});
  EXPECT_EQ(value_of(1), 1);
  let_go();
  ASSERT_TRUE(reach(b()));
  EXPECT_EQ(value_of(2), 7);
}

TEST_P(DeviceSuite, Contract1a_TicketsCompleteOneListAfterAnother) {
  for (int i = 0; i < kMost; ++i) submit(a(), fill(0, 1));
  for (std::uint64_t i = 1; i <= kMost; ++i) ASSERT_TRUE(reach(a(), i));
  EXPECT_EQ(executed(KernelId::kFill), std::uint64_t{kMost});
}

TEST_P(DeviceSuite, Contract1b_TheThreadThatHandsOverMayChange) {
  submit(a(), fill(1, 0));
  for (int i = 1; i <= kMost; ++i) {
    std::thread([this, i] {
      CommandList list = fill(0, static_cast<float>(i));
      append_add(list, cell(1), cell(1), cell(0));
      submit(a(), std::move(list));
      if (i % 3 == 0) {
        EXPECT_TRUE(device().wait_on(*b().queue, *a().queue, a().last()).ok());
      }
    }).join();
  }
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(executed(KernelId::kAdd), std::uint64_t{kMost});
  expect_value(1, kSum);
}

TEST_P(DeviceSuite, Contract1c_DifferentQueuesAreUsedConcurrently) {
  constexpr std::size_t kThreads = 8;
  constexpr int kLists = 300;
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      Line& own = line();
      submit(own, fill(2 * t + 1, 0));
      for (int i = 1; i <= kLists; ++i) {
        CommandList list = device().recycled_list(*own.queue);
        append_fill(list, cell(2 * t), static_cast<float>(i));
        append_add(list, cell(2 * t + 1), cell(2 * t + 1), cell(2 * t));
        const bool waits = i % 7 == 0;
        submit(own, std::move(list), waits ? SubmitHint::kCallerWaits : SubmitHint::kAsynchronous);
        if (waits) {
          EXPECT_TRUE(reach(own));
        }
      }
      EXPECT_TRUE(reach(own));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(executed(KernelId::kAdd), std::uint64_t{kThreads} * kLists);
  for (std::size_t t = 0; t < kThreads; ++t) expect_value(2 * t + 1, kLists * (kLists + 1) / 2);
}

// A token goes round: each list reads what the queue before it in the ring wrote.
TEST_P(DeviceSuite, Contract1c_QueuesThatWaitForEachOtherInARingAgree) {
  SUITE_NEEDS_RESULTS();
  constexpr std::size_t kQueues = 4, kRounds = 100;
  for (const SubmitHint hint : {SubmitHint::kAsynchronous, SubmitHint::kCallerWaits}) {
    std::vector<Line*> ring;
    for (std::uint32_t i = 0; i < kQueues; ++i) {
      ring.push_back(&line());
      submit(*ring[i], fill(i, 0));
      ASSERT_TRUE(reach(*ring[i]));
    }
    submit(a(), fill(kQueues, 1));
    ASSERT_TRUE(reach(a()));
    for (std::size_t n = 0; n < kQueues * kRounds; ++n) {
      const std::size_t at = n % kQueues, before = (n + kQueues - 1) % kQueues;
      ASSERT_TRUE(device().wait_on(*ring[at]->queue, *ring[before]->queue, ring[before]->last()).ok());
      submit(*ring[at], add(at, before, kQueues), hint);
    }
    for (std::size_t i = kQueues; i-- > 0;) ASSERT_TRUE(reach(*ring[i]));
    EXPECT_EQ(value_of(kQueues - 1), static_cast<float>(kQueues * kRounds));
  }
}

}  // namespace
}  // namespace heddle::suite
