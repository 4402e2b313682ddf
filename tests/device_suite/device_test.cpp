// The device as a whole: what it says of itself, its queues, its loss, and the end of the process.
#include <bit>
#include <thread>

#include "device_suite/suite.hpp"

namespace heddle::suite {
namespace {

const Status kLoss{ErrorKind::kDeviceLost, "it fell off the bus"};
sync::Deadline soon() { return sync::Deadline::after(std::chrono::seconds(60)); }  // guards against a hang
sync::Deadline passed() { return sync::Deadline::at({}); }

#define SUITE_NEEDS_LOSS() SUITE_NEEDS(GetParam().lose, "the device cannot be lost")

TEST_P(DeviceSuite, Info_IsWellFormedAndDoesNotChange) {
  const DeviceInfo before = info();
  EXPECT_FALSE(before.backend.empty());
  EXPECT_FALSE(before.name.empty());
  EXPECT_FALSE(before.kernels.empty());
  EXPECT_GE(before.processors, 1U);
  EXPECT_TRUE(std::has_single_bit(before.alignment));
  EXPECT_TRUE(std::has_single_bit(before.segment_granule));
  EXPECT_GE(before.segment_granule, before.alignment);
  EXPECT_EQ(before.has_workers, before.workers > 0);
  EXPECT_TRUE(before.executes_on_caller || !before.has_workers);
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(info().backend, before.backend);
  EXPECT_EQ(info().announces, before.announces);
  EXPECT_EQ(info().segment_granule, before.segment_granule);
}

TEST_P(DeviceSuite, CreateQueue_GivesAQueueThatHasDoneNothing) {
  std::unique_ptr<Queue> queue;
  ASSERT_TRUE(device().create_queue(StreamId{77}, &queue).ok());
  EXPECT_EQ(queue->stream(), StreamId{77});
  EXPECT_EQ(queue->completed(), Ticket{0});
  EXPECT_EQ(queue->owner(), nullptr);
  EXPECT_FALSE(queue->watched());
  EXPECT_FALSE(queue->failures().ever_failed());
  EXPECT_EQ(queue->failures().failed_tickets(queue->completed()), 0U);
  queue->set_owner(this);
  EXPECT_EQ(queue->owner(), this);
}

TEST_P(DeviceSuite, CreateQueue_ManyAtATimeAndOneAfterAnother) {
  std::vector<std::unique_ptr<Queue>> queues(64);
  for (std::uint32_t i = 0; i < 64; ++i) ASSERT_TRUE(device().create_queue(StreamId{100 + i}, &queues[i]).ok());
  queues.clear();
  for (std::uint32_t i = 0; i < 64; ++i) {
    std::unique_ptr<Queue> queue;
    ASSERT_TRUE(device().create_queue(StreamId{100 + i}, &queue).ok());
    EXPECT_EQ(queue->completed(), Ticket{0});
  }
}

// Queues come and go on several threads, each as soon as its last ticket is complete, while a wait for it is left.
TEST_P(DeviceSuite, CreateQueue_AQueueMayGoOnceItsTicketsAreComplete) {
  constexpr std::uint32_t kThreads = 4, kRounds = 100;
  const auto queue_of = [this](std::uint32_t stream) {
    Line line;
    EXPECT_TRUE(device().create_queue(StreamId{stream}, &line.queue).ok());
    return line;
  };
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < kRounds; ++i) {
        Line producer = queue_of(100 + 2 * t);
        Line consumer = queue_of(101 + 2 * t);
        submit(producer, fill(2 * t, static_cast<float>(i)));
        EXPECT_TRUE(device().wait_on(*consumer.queue, *producer.queue, producer.last()).ok());
        submit(consumer, copy(2 * t + 1, 2 * t), i % 2 == 0 ? SubmitHint::kAsynchronous : SubmitHint::kCallerWaits);
        EXPECT_TRUE(device().order_on(*consumer.queue, *producer.queue, producer.last()).ok());
        EXPECT_TRUE(reach(consumer));
        expect_value(2 * t + 1, static_cast<float>(i));
        producer.queue.reset();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(executed(KernelId::kFill), kThreads * kRounds);
}

// Of the addresses only the alignment counts.
TEST_P(DeviceSuite, WorkspaceBytes_OfTheSameProductAreTheSame) {
  Command<MatmulArgs> product(KernelId::kMatmul, MatmulArgs{});
  MatmulArgs& args = product.args;
  args.a = args.b = args.out = cell(0);
  args.m = args.n = args.k = args.lda = args.ldb = 256;
  args.batch = 1;
  const std::size_t first = device().workspace_bytes(product.view());
  args.out = cell(512);
  args.workspace = cell(32);
  EXPECT_EQ(device().workspace_bytes(product.view()), first);
}

TEST_P(DeviceSuite, WorkspaceBytes_OfTheSameReductionAreTheSame) {
  Command<ReduceArgs> sum(KernelId::kSum, {cell(0), cell(1), 1, 1 << 20, 1});
  const std::size_t first = device().workspace_bytes(sum.view());
  sum.args.workspace = cell(32);
  EXPECT_EQ(device().workspace_bytes(sum.view()), first);
}

TEST_P(DeviceSuite, WorkspaceBytes_OfACommandWithoutAWorkspaceAreNone) {
  EXPECT_EQ(device().workspace_bytes(Command<FillArgs>(KernelId::kFill, {cell(0), 1, 0}).view()), 0U);
}

// Replay is optional, and what it is not is said.
TEST_P(DeviceSuite, Build_SucceedsOrIsUnsupported) {
  std::unique_ptr<Replayable> built;
  const Status status = device().build(*a().queue, fill(0, 1), &built);
  EXPECT_EQ(status.ok(), built != nullptr);
  if (!status.ok()) {
    EXPECT_EQ(status.kind(), ErrorKind::kUnsupported);
  }
  EXPECT_EQ(a().queue->completed(), Ticket{0}) << "building runs nothing";
}

TEST_P(DeviceSuite, Launch_IsUnsupportedWhereNothingCanBeBuilt) {
  std::unique_ptr<Replayable> built;
  SUITE_NEEDS(!device().build(*a().queue, fill(0, 1), &built).ok(), "the device replays lists");
  Replayable nothing;
  const Status status = device().launch(*a().queue, nothing, Ticket{1}, SubmitHint::kAsynchronous);
  EXPECT_EQ(status.kind(), ErrorKind::kUnsupported);
  submit(a(), fill(0, 1));
  EXPECT_TRUE(reach(a())) << "the ticket was not used";
}

TEST_P(DeviceSuite, Preload_MayBeCalledAgainBeforeTheFirstSubmit) {
  EXPECT_TRUE(device().preload().ok());
  submit(a(), fill(0, 1));
  EXPECT_TRUE(reach(a()));
}

TEST_P(DeviceSuite, Lost_IsOkWhateverAListDoes) {
  EXPECT_TRUE(device().lost().ok());
  (void)submit_any(a(), bad());
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(device().lost().ok());
}

TEST_P(DeviceSuite, Lost_EveryOutstandingTicketCompletesWithIt) {
  SUITE_NEEDS_LOSS();
  SUITE_NEEDS(info().executes_on_caller, "a loss that is only claimed waits for what runs on the device");
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  ASSERT_TRUE(reach(a()));
  CommandList held = held_list(a());
  append_fill(held, cell(0), 2);
  submit_held(a(), std::move(held));
  submit(a(), fill(0, 3), SubmitHint::kCallerWaits);
  ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, a().last()).ok());
  submit(b(), fill(1, 4), SubmitHint::kCallerWaits);
  lose(kLoss);
  EXPECT_EQ(a().queue->completed(), a().last());
  EXPECT_EQ(b().queue->completed(), b().last());
  EXPECT_TRUE(a().status_of(1).ok()) << "it was complete before";
  EXPECT_EQ(a().status_of(a().submitted).kind(), ErrorKind::kDeviceLost);
  EXPECT_EQ(b().status_of(1).kind(), ErrorKind::kDeviceLost);
  EXPECT_EQ(b().status_of(1).text(), kLoss.text());
}

TEST_P(DeviceSuite, Lost_IsStickyAndFailsWhatComesLater) {
  SUITE_NEEDS_LOSS();
  lose(kLoss);
  lose({ErrorKind::kDeviceLost, "another reason"});
  EXPECT_EQ(device().lost().text(), kLoss.text()) << "the first reason stays";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(submit_any(a(), fill(0, 1)).kind(), ErrorKind::kDeviceLost);
    ASSERT_TRUE(reach(a()));
    EXPECT_EQ(a().status_of(a().submitted).kind(), ErrorKind::kDeviceLost);
    device().clear_failure(*a().queue, a().last());
  }
  EXPECT_EQ(executed(KernelId::kFill), 0U);
}

TEST_P(DeviceSuite, Lost_ItIsAnnouncedToWatchedQueues) {
  SUITE_NEEDS_LOSS();
  SUITE_NEEDS(info().announces, "the device writes tickets silently");
  a().queue->watch();
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  lose(kLoss);
  EXPECT_TRUE(await([&] { return listener().seen >= a().submitted; }));
  a().queue->unwatch();
}

TEST_P(DeviceSuite, Poll_OfAHealthyDeviceChangesNothing) {
  device().poll();
  submit(a(), fill(0, 1));
  device().poll();
  ASSERT_TRUE(reach(a()));
  device().poll();
  EXPECT_TRUE(device().lost().ok());
  EXPECT_EQ(a().queue->completed(), a().last());
  EXPECT_FALSE(a().queue->failures().ever_failed());
}

TEST_P(DeviceSuite, Poll_LeavesWhatIsPendingPending) {
  SUITE_NEEDS_HOLD();
  CommandList held = held_list(a());
  append_fill(held, cell(0), 1);
  submit_held(a(), std::move(held));
  for (int i = 0; i < 10; ++i) device().poll();
  EXPECT_EQ(a().queue->completed(), Ticket{0});
  EXPECT_TRUE(device().lost().ok());
  let_go();
  EXPECT_TRUE(reach(a()));
}

TEST_P(DeviceSuite, Busy_IsFalseWhereNothingIsPending) {
  EXPECT_FALSE(device().busy());
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(await([&] { return !device().busy(); }));
}

TEST_P(DeviceSuite, Busy_IsTrueWhileAListIsOnItsWayWherePollingFindsFaults) {
  SUITE_NEEDS(GetParam().faults_need_poll, "the device finds faults without poll()");
  submit_held(a(), held_list(a()));
  EXPECT_TRUE(device().busy());
  let_go();
  EXPECT_TRUE(reach(a()));
}

TEST_P(DeviceSuite, Park_NoListBeginsAnyMore) {
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  abandon();
  EXPECT_TRUE(device().park(soon()));
  const std::uint64_t before = executed(KernelId::kFill);
  for (const SubmitHint hint : {SubmitHint::kAsynchronous, SubmitHint::kCallerWaits}) {
    EXPECT_TRUE(submit_any(a(), fill(0, 2), hint).ok());
    EXPECT_TRUE(submit_any(b(), fill(1, 2), hint).ok());
  }
  EXPECT_FALSE(device().help(*a().queue, a().last()));
  EXPECT_FALSE(device().help(*b().queue, b().last()));
  EXPECT_TRUE(device().park(soon())) << "once more";
  EXPECT_EQ(executed(KernelId::kFill), before);
  EXPECT_EQ(a().queue->completed(), Ticket{1}) << "tickets no longer advance";
  EXPECT_EQ(b().queue->completed(), Ticket{0});
}

TEST_P(DeviceSuite, Park_APendingListStaysPending) {
  SUITE_NEEDS(info().executes_on_caller, "lists begin when they are submitted");
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  abandon();
  EXPECT_TRUE(device().park(soon()));
  EXPECT_FALSE(device().help(*a().queue, a().last()));
  EXPECT_EQ(executed(KernelId::kFill), 0U);
  EXPECT_EQ(a().queue->completed(), Ticket{0});
}

TEST_P(DeviceSuite, Park_WaitsForTheListThatRunsUntilItsDeadline) {
  SUITE_NEEDS_RESULTS();
  SUITE_NEEDS_HOLD();
  ASSERT_NO_FATAL_FAILURE(submit_running(a()));
  abandon();
  EXPECT_FALSE(device().park(passed())) << "a list runs";
  let_go();
  EXPECT_TRUE(device().park(soon()));
  EXPECT_TRUE(submit_any(a(), fill(0, 2)).ok());
  EXPECT_FALSE(device().help(*a().queue, a().last()));
  EXPECT_EQ(executed(KernelId::kFill), 0U);
}

}  // namespace
}  // namespace heddle::suite
