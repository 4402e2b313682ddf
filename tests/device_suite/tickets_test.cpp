// Contract 2: tickets always advance, whatever fails.
#include <thread>

#include "device_suite/suite.hpp"

namespace heddle::suite {
namespace {

const Status kFault{ErrorKind::kDeviceError, "a scripted fault"};

TEST_P(DeviceSuite, Contract2a_AListThatFailsPublishesItsTicket) {
  for (const SubmitHint hint : {SubmitHint::kAsynchronous, SubmitHint::kCallerWaits}) {
    CommandList list = fill(0, 1);
    append_bad(list);
    append_fill(list, cell(0), 2);
    (void)submit_any(a(), std::move(list), hint);
    ASSERT_TRUE(reach(a()));
    EXPECT_EQ(a().queue->completed(), a().last());
    EXPECT_EQ(a().status_of(a().submitted).kind(), ErrorKind::kUnsupported);
    expect_value(0, 1);
    device().clear_failure(*a().queue, a().last());
  }
  EXPECT_EQ(executed(KernelId::kFill), 2U) << "what is before the command that failed ran, the rest did not";
}

TEST_P(DeviceSuite, Contract2a_ACustomOperationThatThrowsFailsItsList) {
  SUITE_NEEDS_RESULTS();
  CommandList list;
  append_custom(list, "thrower", [](void*) { throw std::runtime_error("no luck"); });
  append_fill(list, cell(0), 2);
  (void)submit_any(a(), std::move(list));
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(a().queue->completed(), Ticket{2});
  EXPECT_EQ(a().status_of(1).kind(), ErrorKind::kDeviceError);
  EXPECT_EQ(a().status_of(2).kind(), ErrorKind::kDeviceError);
  EXPECT_EQ(executed(KernelId::kFill), 0U) << "the rest of the list is skipped";
}

TEST_P(DeviceSuite, Contract2a_AListThatIsRefusedPublishesItsTicketInOrder) {
  SUITE_NEEDS(GetParam().fail_next_submit, "no submit() of the device can be made to fail");
  submit(a(), fill(0, 1));
  GetParam().fail_next_submit(device(), kFault);
  EXPECT_EQ(submit_any(a(), fill(0, 2)).text(), kFault.text());
  (void)submit_any(a(), fill(0, 3));
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(a().status_of(1).ok());
  EXPECT_EQ(a().status_of(2).text(), kFault.text());
  EXPECT_EQ(a().status_of(3).text(), kFault.text());
  EXPECT_EQ(executed(KernelId::kFill), 1U);
}

// The listener sees for certain a status that comes after the announcement. The observer sees one that comes just after
// its ticket by chance: it keeps the log of failures busy, so that the status has to wait.
TEST_P(DeviceSuite, Contract2b_WhoSeesTheTicketSeesItsStatus) {
  constexpr std::uint64_t kRounds = 100;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> looked{0};
  std::atomic<int> too_early{0};
  listener().then = [&](Queue& queue) {
    if (queue.failures().status_of(queue.completed()).ok()) ++too_early;
  };
  a().queue->watch();
  std::thread observer([&] {
    for (unsigned looks = 0; !stop; ++looks) {
      if (looks % 32 == 0) std::this_thread::yield();
      const Ticket now = a().queue->completed();
      if (now > Ticket{0} && a().queue->failures().status_of(now).ok()) ++too_early;
      looked = now.value;
    }
  });
  bool ended = true;
  for (std::uint64_t round = 1; ended && round <= kRounds; ++round) {
    (void)submit_any(a(), bad());
    ended = reach(a()) && await([&] { return looked == round && (!info().announces || listener().seen >= round); });
    device().clear_failure(*a().queue, a().last());
  }
  stop = true;
  observer.join();
  a().queue->unwatch();
  EXPECT_TRUE(ended) << "a ticket is never complete";
  EXPECT_EQ(too_early, 0);
}

TEST_P(DeviceSuite, Contract2c_CompletedNeverDecreases) {
  std::atomic<bool> stop{false};
  std::atomic<int> decreases{0};
  std::thread observer([&] {
    for (Ticket seen{}; !stop;) {
      const Ticket now = a().queue->completed();
      if (now < seen) ++decreases;
      seen = now;
    }
  });
  for (int i = 0; i < 1000; ++i) {
    const Ticket before = a().queue->completed();
    (void)submit_any(a(), i % 10 == 3 ? bad() : fill(0, 1));
    if (a().queue->completed() < before) ++decreases;
    if (i % 10 == 9) {
      EXPECT_TRUE(reach(a()));
      device().clear_failure(*a().queue, a().last());
      EXPECT_EQ(a().queue->completed(), a().last());
    }
  }
  stop = true;
  observer.join();
  EXPECT_EQ(decreases, 0);
}

TEST_P(DeviceSuite, Contract2d_ListsAreSkippedUntilTheFailureIsCleared) {
  submit(a(), fill(0, 1));
  CommandList failing = bad();
  append_fill(failing, cell(0), 2);
  (void)submit_any(a(), std::move(failing));
  (void)submit_any(a(), fill(0, 3));
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(a().queue->completed(), Ticket{4});
  EXPECT_TRUE(a().queue->failures().failing());
  EXPECT_EQ(executed(KernelId::kFill), 1U);
  EXPECT_TRUE(a().status_of(1).ok());
  for (std::uint64_t ticket = 2; ticket <= 4; ++ticket) {
    EXPECT_EQ(a().status_of(ticket).kind(), ErrorKind::kUnsupported) << ticket;
  }
  expect_value(0, 1);
  // A queue that failed is skipped also where its lists come later.
  (void)submit_any(a(), fill(0, 4));
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(executed(KernelId::kFill), 1U);

  device().clear_failure(*a().queue, a().last());
  submit(a(), fill(0, 5));
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(executed(KernelId::kFill), 2U);
  EXPECT_TRUE(a().status_of(6).ok());
  expect_value(0, 5);
}

TEST_P(DeviceSuite, ClearFailure_ClosesTheRangeAtTheLastTicketThatCarriesTheError) {
  (void)submit_any(a(), bad());
  (void)submit_any(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  device().clear_failure(*a().queue, Ticket{2});
  EXPECT_FALSE(a().queue->failures().failing());
  submit(a(), fill(0, 2));
  ASSERT_TRUE(reach(a()));
  EXPECT_FALSE(a().status_of(2).ok()) << "what was skipped keeps its error";
  EXPECT_TRUE(a().status_of(3).ok());
  EXPECT_EQ(a().queue->failures().failed_tickets(a().queue->completed()), 2U);
}

TEST_P(DeviceSuite, ClearFailure_OfAQueueThatDidNotFailChangesNothing) {
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  device().clear_failure(*a().queue, a().last());
  EXPECT_TRUE(a().status_of(1).ok());
  EXPECT_FALSE(a().queue->failures().ever_failed());
}

TEST_P(DeviceSuite, ClearFailure_LeavesOtherQueuesAsTheyAre) {
  (void)submit_any(a(), bad());
  (void)submit_any(b(), bad());
  ASSERT_TRUE(reach(a()) && reach(b()));
  device().clear_failure(*a().queue, a().last());
  EXPECT_FALSE(a().queue->failures().failing());
  EXPECT_TRUE(b().queue->failures().failing());
}

}  // namespace
}  // namespace heddle::suite
