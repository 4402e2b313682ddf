// Handing lists over, helping, and what happens to what a list owns.
#include <thread>

#include "device_suite/suite.hpp"

namespace heddle::suite {
namespace {

TEST_P(DeviceSuite, Submit_AListTakesAsManyTicketsAsItHasCommands) {
  CommandList first = fill(0, 1);
  append_fill(first, cell(0), 2);
  submit(a(), std::move(first));
  CommandList second = fill(0, 3);
  append_bad(second);
  append_fill(second, cell(0), 4);
  (void)submit_any(a(), std::move(second));
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(a().queue->completed(), Ticket{5});
  EXPECT_TRUE(a().status_of(2).ok());
  for (std::uint64_t ticket = 3; ticket <= 5; ++ticket) EXPECT_FALSE(a().status_of(ticket).ok()) << ticket;
}

TEST_P(DeviceSuite, Submit_AnEmptyListPublishesItsTicket) {
  submit(a(), CommandList());
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(a().queue->completed(), Ticket{1});
  EXPECT_TRUE(a().status_of(1).ok());
}

TEST_P(DeviceSuite, Submit_AnErrorFailsTheQueueToo) {
  SUITE_NEEDS(GetParam().fail_next_submit, "no submit() of the device can be made to fail");
  GetParam().fail_next_submit(device(), {ErrorKind::kDeviceError, "no launch"});
  EXPECT_EQ(submit_any(a(), fill(0, 1)).text(), "no launch");
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(a().queue->failures().failing());
  EXPECT_EQ(a().status_of(1).text(), "no launch");
}

TEST_P(DeviceSuite, Submit_ConsumesTheListWhateverTheResult) {
  const auto kept = std::make_shared<int>(0);
  const auto list_of = [&](bool fails) {
    CommandList list;
    if (fails) append_bad(list);
    list.append(KernelId::kFill, FillArgs{cell(0), 1, 0}, Kept{kept, 0});
    return list;
  };
  for (const bool fails : {false, true, false}) {  // the last one is skipped
    (void)submit_any(a(), list_of(fails));
    ASSERT_TRUE(reach(a()));
    a().queue->release_ended();
    EXPECT_EQ(kept.use_count(), 1);
  }
}

TEST_P(DeviceSuite, Submit_WhatAListOwnsStaysUntilItHasEnded) {
  SUITE_NEEDS_HOLD();
  const auto kept = std::make_shared<int>(0);
  CommandList list = held_list(a());
  list.append(KernelId::kFill, FillArgs{cell(0), 1, 0}, Kept{kept, 0});
  submit_held(a(), std::move(list));
  a().queue->release_ended();
  EXPECT_EQ(kept.use_count(), 2);
  let_go();
  ASSERT_TRUE(reach(a()));
  a().queue->release_ended();
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_P(DeviceSuite, Submit_HostMemoryThatTheListKeepsIsRead) {
  SUITE_NEEDS_RESULTS();
  for (const float value : {3.0F, 4.0F}) {
    const auto kept = std::make_shared<float>(value);
    CommandList list;
    list.append(KernelId::kCopyBytes, CopyBytesArgs{cell(0), kept.get(), sizeof(value)}, Kept{kept, sizeof(value)});
    submit(a(), std::move(list));
    ASSERT_TRUE(reach(a()));
    EXPECT_EQ(value_of(0), value);
  }
}

TEST_P(DeviceSuite, Submit_AHeldListRunsWithTheNextAsynchronousOne) {
  SUITE_NEEDS(info().has_workers || !info().executes_on_caller, "the device runs nothing unless somebody helps");
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  submit(a(), fill(0, 2), SubmitHint::kAsynchronous);
  EXPECT_TRUE(reach_without_help(a()));
  expect_value(0, 2);
}

TEST_P(DeviceSuite, Submit_AsynchronousListsRunThoughNobodyHelps) {
  SUITE_NEEDS(info().has_workers || !info().executes_on_caller, "the device runs nothing unless somebody helps");
  for (int i = 0; i < 20; ++i) {
    submit(a(), fill(0, 1));
    ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, a().last()).ok());
    submit(b(), fill(1, 2));
  }
  EXPECT_TRUE(reach_without_help(b()));
  EXPECT_TRUE(reach_without_help(a()));
}

TEST_P(DeviceSuite, Submit_WithCallerWaitsRunsOnTheThreadThatHelps) {
  SUITE_NEEDS(info().executes_on_caller, "the device has processors of its own");
  SUITE_NEEDS_RESULTS();
  std::thread::id ran_on;
  CommandList list;
  append_custom(list, "who", [&](void*) { ran_on = std::this_thread::get_id(); });
  submit(a(), std::move(list), SubmitHint::kCallerWaits);
  EXPECT_EQ(a().queue->completed(), Ticket{0}) << "no worker was woken";
  EXPECT_TRUE(device().help(*a().queue, a().last()));
  EXPECT_EQ(a().queue->completed(), Ticket{1});
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST_P(DeviceSuite, Help_SaysWhetherItRanSomething) {
  EXPECT_FALSE(device().help(*a().queue, Ticket{0})) << "nothing was submitted";
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  EXPECT_EQ(device().help(*a().queue, a().last()), info().executes_on_caller);
  ASSERT_TRUE(reach(a()));
  EXPECT_FALSE(device().help(*a().queue, a().last())) << "the ticket is complete";
}

TEST_P(DeviceSuite, Help_RunsWhatTheQueueWaitsFor) {
  SUITE_NEEDS(info().executes_on_caller, "the device has processors of its own");
  Line& last = line();
  submit(a(), fill(0, 5), SubmitHint::kCallerWaits);
  ASSERT_TRUE(device().wait_on(*b().queue, *a().queue, a().last()).ok());
  submit(b(), add(1, 0, 0), SubmitHint::kCallerWaits);
  ASSERT_TRUE(device().wait_on(*last.queue, *b().queue, b().last()).ok());
  submit(last, add(2, 1, 0), SubmitHint::kCallerWaits);
  ASSERT_TRUE(reach(last));
  EXPECT_EQ(a().queue->completed(), a().last());
  EXPECT_EQ(b().queue->completed(), b().last());
  expect_value(2, 15);
}

TEST_P(DeviceSuite, Help_RunsNothingThatTheQueueDoesNotNeed) {
  SUITE_NEEDS(info().executes_on_caller, "the device has processors of its own");
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  submit(b(), fill(1, 2), SubmitHint::kCallerWaits);
  EXPECT_TRUE(device().help(*b().queue, b().last()));
  EXPECT_EQ(b().queue->completed(), b().last());
  EXPECT_EQ(a().queue->completed(), Ticket{0});
}

TEST_P(DeviceSuite, Help_IsFalseOnADeviceWithProcessorsOfItsOwn) {
  SUITE_NEEDS(!info().executes_on_caller, "the device runs lists on the caller");
  submit_held(a(), held_list(a()));
  EXPECT_FALSE(device().help(*a().queue, a().last()));
  let_go();
  ASSERT_TRUE(reach_without_help(a()));
  EXPECT_FALSE(device().help(*a().queue, a().last()));
}

TEST_P(DeviceSuite, Help_FromManyThreadsRunsEachListOnce) {
  constexpr int kLists = 100;
  for (int i = 0; i < kLists; ++i) submit(a(), add(0, 0, 1), SubmitHint::kCallerWaits);
  std::vector<std::thread> helpers;
  for (int i = 0; i < 3; ++i) helpers.emplace_back([this] { EXPECT_TRUE(reach(a())); });
  for (std::thread& helper : helpers) helper.join();
  EXPECT_EQ(executed(KernelId::kAdd), std::uint64_t{kLists});
}

TEST_P(DeviceSuite, RecycledList_IsEmpty) {
  for (int i = 0; i < 10; ++i) {
    CommandList list = device().recycled_list(*a().queue);
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.bytes(), 0U);
    EXPECT_FALSE(list.owns_operands());
    list.append(KernelId::kFill, FillArgs{cell(0), 1, 0}, Kept{std::make_shared<int>(0), 0});
    submit(a(), std::move(list));
    if (i % 2 == 0) {
      ASSERT_TRUE(reach(a()));
    }
  }
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(executed(KernelId::kFill), 10U);
}

TEST_P(DeviceSuite, ReleaseEnded_OfAQueueWithNothingToReleaseDoesNothing) {
  a().queue->release_ended();
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  a().queue->release_ended();
  a().queue->release_ended();
}

TEST_P(DeviceSuite, NativeHandle_IsWhatACustomOperationGets) {
  SUITE_NEEDS_RESULTS();
  void* got = this;
  CommandList list;
  append_custom(list, "handle", [&](void* handle) { got = handle; });
  submit(a(), std::move(list));
  ASSERT_TRUE(reach(a()));
  EXPECT_EQ(got, a().queue->native_handle());
}

TEST_P(DeviceSuite, Executed_CountsWhatRanByKernelAndForgetsNoQueue) {
  CommandList list = fill(0, 1);
  append_fill(list, cell(1), 2);
  append_add(list, cell(2), cell(0), cell(1));
  submit(a(), std::move(list));
  ASSERT_TRUE(reach(a()));
  const auto expect_counts = [this] {
    EXPECT_EQ(executed(KernelId::kFill), 2U);
    EXPECT_EQ(executed(KernelId::kAdd), 1U);
    EXPECT_EQ(executed(KernelId::kMatmul), 0U);
  };
  expect_counts();
  a().queue.reset();
  expect_counts();
}

TEST_P(DeviceSuite, Supports_WhatEveryProgramNeeds) {
  for (const KernelId kernel : {KernelId::kFill, KernelId::kCopyBytes, KernelId::kAdvance, KernelId::kCustom}) {
    EXPECT_TRUE(device().supports(kernel, Dtype::kFloat32)) << kernel_name(kernel);
  }
}

TEST_P(DeviceSuite, Supports_NoKernelThatIsNone) {
  EXPECT_FALSE(device().supports(KernelId::kCount, Dtype::kFloat32));
  EXPECT_FALSE(device().supports(static_cast<KernelId>(0x7FFF), Dtype::kFloat32));
}

}  // namespace
}  // namespace heddle::suite
