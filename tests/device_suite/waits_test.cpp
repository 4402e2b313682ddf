// Contract 4: queues that wait for tickets of other queues.
#include "device_suite/suite.hpp"

namespace heddle::suite {
namespace {

TEST_P(DeviceSuite, Contract4a_AnyTicketThatWasSubmittedIsTaken) {
  CommandList held = held_list(a());
  for (int i = 0; i < 3; ++i) append_fill(held, cell(0), 1);
  submit_held(a(), std::move(held));
  for (std::uint64_t ticket = 0; ticket <= a().submitted; ++ticket) {
    EXPECT_TRUE(device().wait_on(*b().queue, *a().queue, Ticket{ticket}).ok());
    EXPECT_TRUE(device().order_on(*b().queue, *a().queue, Ticket{ticket}).ok());
    submit(b(), fill(1, 2));
  }
  let_go();
  ASSERT_TRUE(reach(b()));
  EXPECT_EQ(a().queue->completed(), a().last());
  EXPECT_FALSE(b().queue->failures().ever_failed());
  EXPECT_EQ(executed(KernelId::kFill), 3 + b().submitted);
  // And all of them once more, now that they are complete.
  for (std::uint64_t ticket = 0; ticket <= a().submitted; ++ticket) {
    EXPECT_TRUE(device().wait_on(*b().queue, *a().queue, Ticket{ticket}).ok());
    EXPECT_TRUE(device().order_on(*b().queue, *a().queue, Ticket{ticket}).ok());
  }
  submit(b(), fill(1, 2));
  ASSERT_TRUE(reach(b()));
}

TEST_P(DeviceSuite, Contract4b_AQueueThatWaitsOnAFailedTicketFails) {
  for (const bool complete : {false, true}) {
    Line& failed = line();
    Line& waiting = line();
    const std::uint64_t before = executed(KernelId::kFill);
    (void)submit_any(failed, bad(), SubmitHint::kCallerWaits);
    if (complete) {
      ASSERT_TRUE(reach(failed));
    }
    submit(waiting, fill(0, 1), SubmitHint::kCallerWaits);
    ASSERT_TRUE(device().wait_on(*waiting.queue, *failed.queue, failed.last()).ok());
    (void)submit_any(waiting, fill(0, 2), SubmitHint::kCallerWaits);
    ASSERT_TRUE(reach(waiting));
    EXPECT_TRUE(waiting.status_of(1).ok()) << "it was handed over before the wait";
    EXPECT_EQ(waiting.status_of(2).kind(), ErrorKind::kUnsupported);
    EXPECT_NE(waiting.status_of(2).text().find(failed.status_of(1).text()), std::string_view::npos);
    EXPECT_EQ(executed(KernelId::kFill), before + 1);
    ASSERT_TRUE(reach(failed));
    // The failure of the other queue is over for this one once it is cleared here.
    device().clear_failure(*waiting.queue, waiting.last());
    submit(waiting, fill(0, 3));
    ASSERT_TRUE(reach(waiting));
    EXPECT_TRUE(waiting.status_of(3).ok());
  }
}

TEST_P(DeviceSuite, Contract4b_AFailureIsInheritedThroughAChainOfWaits) {
  Line& last = line();
  (void)submit_any(a(), bad(), SubmitHint::kCallerWaits);
  ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, a().last()).ok());
  (void)submit_any(b(), fill(0, 1), SubmitHint::kCallerWaits);
  ASSERT_TRUE(device().wait_on(*last.queue, *b().queue, b().last()).ok());
  (void)submit_any(last, fill(0, 1), SubmitHint::kCallerWaits);
  ASSERT_TRUE(reach(last));
  EXPECT_EQ(last.status_of(1).kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(executed(KernelId::kFill), 0U);
}

TEST_P(DeviceSuite, WaitOn_ATicketBeforeTheFailureIsFine) {
  submit(a(), fill(0, 1));
  (void)submit_any(a(), bad());
  ASSERT_TRUE(reach(a()));
  ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, Ticket{1}).ok());
  submit(b(), fill(0, 2));
  ASSERT_TRUE(reach(b()));
  EXPECT_TRUE(b().status_of(1).ok());
}

TEST_P(DeviceSuite, WaitOn_EntriesAfterItRunOnlyAfterTheTicket) {
  SUITE_NEEDS_RESULTS();
  SUITE_NEEDS_HOLD();
  for (const bool inherits : {true, false}) {
    Line& producer = line();
    Line& consumer = line();
    submit(producer, fill(0, 1), SubmitHint::kCallerWaits);
    ASSERT_TRUE(reach(producer));
    CommandList held = held_list(producer);
    append_fill(held, cell(0), 7);
    submit_held(producer, std::move(held));
    const Status status = inherits ? device().wait_on(*consumer.queue, *producer.queue, producer.last())
                                   : device().order_on(*consumer.queue, *producer.queue, producer.last());
    ASSERT_TRUE(status.ok()) << status.text();
    submit(consumer, copy(1, 0));
    EXPECT_EQ(consumer.queue->completed(), Ticket{0});
    let_go();
    ASSERT_TRUE(reach(consumer));
    EXPECT_EQ(producer.queue->completed(), producer.last());
    EXPECT_EQ(value_of(1), 7);
  }
}

// The wait is not looked at again by whoever handed it over: its end makes the queue run.
TEST_P(DeviceSuite, WaitOn_TheTicketSetsTheQueueGoing) {
  SUITE_NEEDS(info().has_workers || !info().executes_on_caller, "the device runs nothing unless somebody helps");
  SUITE_NEEDS_HOLD();
  CommandList held = held_list(a());
  append_fill(held, cell(0), 5);
  submit_held(a(), std::move(held));
  ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, a().last()).ok());
  submit(b(), copy(1, 0));
  EXPECT_EQ(b().queue->completed(), Ticket{0});
  let_go();
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(reach_without_help(b()));
  expect_value(1, 5);
}

// The producer's next list is of no concern to whoever waits for the one before.
TEST_P(DeviceSuite, WaitOn_NothingAfterTheTicketIsWaitedFor) {
  SUITE_NEEDS_HOLD();
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  ASSERT_TRUE(reach(a()));
  const Ticket first = a().last();
  CommandList held = held_list(a());
  append_fill(held, cell(0), 2);
  submit_held(a(), std::move(held));
  ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, first).ok());
  ASSERT_TRUE(device().order_on(*b().queue, *a().queue, first).ok());
  submit(b(), copy(1, 0), SubmitHint::kCallerWaits);
  ASSERT_TRUE(reach(b()));
  EXPECT_EQ(a().queue->completed(), first);
  expect_value(1, 1);
}

TEST_P(DeviceSuite, WaitOn_AQueueThatIsToWaitForItselfJustGoesOn) {
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  EXPECT_TRUE(device().wait_on(*a().queue, *a().queue, a().last()).ok());
  EXPECT_TRUE(device().order_on(*a().queue, *a().queue, a().last()).ok());
  submit(a(), fill(0, 2));
  ASSERT_TRUE(reach(a()));
}

TEST_P(DeviceSuite, WaitOn_AChainOfQueuesIsFollowedToItsEnd) {
  constexpr std::uint32_t kLength = 40;
  std::vector<Line*> chain;
  for (std::uint32_t i = 0; i < kLength; ++i) {
    chain.push_back(&line());
    if (i > 0) {
      ASSERT_TRUE(device().wait_on(*chain[i]->queue, *chain[i - 1]->queue, chain[i - 1]->last()).ok());
    }
    submit(*chain[i], i == 0 ? fill(0, 3) : copy(i, i - 1), SubmitHint::kAsynchronous);
  }
  for (std::uint32_t i = kLength; i-- > 0;) ASSERT_TRUE(reach(*chain[i]));
  expect_value(kLength - 1, 3);
}

TEST_P(DeviceSuite, OrderOn_AFailedTicketIsWaitedForAndNotInherited) {
  for (const bool complete : {false, true}) {
    Line& failed = line();
    Line& ordered = line();
    (void)submit_any(failed, bad(), SubmitHint::kCallerWaits);
    if (complete) {
      ASSERT_TRUE(reach(failed));
    }
    ASSERT_TRUE(device().order_on(*ordered.queue, *failed.queue, failed.last()).ok());
    submit(ordered, fill(0, 2), SubmitHint::kCallerWaits);
    ASSERT_TRUE(reach(ordered));
    EXPECT_EQ(failed.queue->completed(), failed.last()) << "ordered all the same";
    EXPECT_FALSE(failed.status_of(1).ok());
    EXPECT_TRUE(ordered.status_of(1).ok());
    EXPECT_FALSE(ordered.queue->failures().ever_failed());
    expect_value(0, 2);
  }
}

}  // namespace
}  // namespace heddle::suite
