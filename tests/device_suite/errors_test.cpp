// Contract 3: errors are values, and what the want of host memory leaves behind.
#include <stdexcept>

#include "device_suite/suite.hpp"
#include "suite_support/failing_calls.hpp"

namespace heddle::suite {
namespace {

TEST_P(DeviceSuite, Contract3a_AnErrorHasTheBackendsText) {
  (void)submit_any(a(), bad());
  ASSERT_TRUE(reach(a()));
  const Status status = a().status_of(1);
  EXPECT_NE(status.text().find(info().backend), std::string_view::npos) << status.text();
  EXPECT_EQ(a().queue->failures().open_error().text(), status.text());
}

TEST_P(DeviceSuite, Contract3a_TheErrorOfACustomOperationSaysWhichAndWhat) {
  SUITE_NEEDS_RESULTS();
  CommandList list;
  append_custom(list, "thrower", [](void*) { throw std::runtime_error("no luck"); });
  (void)submit_any(a(), std::move(list));
  ASSERT_TRUE(reach(a()));
  const Status status = a().status_of(1);
  EXPECT_NE(status.text().find("thrower"), std::string_view::npos) << status.text();
  EXPECT_NE(status.text().find("no luck"), std::string_view::npos) << status.text();
}

TEST_P(DeviceSuite, Contract3b_WhatFailsDoesNotThrow) {
  EXPECT_NO_THROW({
    (void)submit_any(a(), bad());
    (void)device().wait_on(*b().queue, *a().queue, a().last());
    (void)device().order_on(*b().queue, *a().queue, a().last());
    (void)submit_any(b(), fill(0, 1));
    (void)reach(a());
    (void)reach(b());
    (void)submit_any(a(), fill(0, 1));
    (void)reach(a());
    device().clear_failure(*a().queue, a().last());
    device().clear_failure(*b().queue, b().last());
    device().poll();
    (void)device().lost();
  });
}

TEST_P(DeviceSuite, Contract3b_OnlyBadAllocIsThrownWhereHostMemoryRunsOut) {
  SUITE_NEEDS_FAILING_MEMORY();
  const std::function<void()> calls[] = {
      [&] {
        std::unique_ptr<Queue> queue;
        (void)device().create_queue(StreamId{99}, &queue);
      },
      [&] {
        void* segment = nullptr;
        const Status status = device().allocate_segment(info().segment_granule, &segment);
        if (status.ok()) device().release_segment(segment, info().segment_granule);
      },
      [&] { (void)device().allocate_host(100); },
      [&] { (void)device().executed(); },
      [&] { (void)device().memory_info(); },
  };
  for (const auto& call : calls) {
    ASSERT_NO_FATAL_FAILURE(with_failing_memory(call, [](bool) {}));  // lets nothing else than bad_alloc pass
  }
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a())) << "the device is as usable as before";
}

TEST_P(DeviceSuite, Contract3c_ASubmitWithoutHostMemoryLeavesTheListToItsCaller) {
  SUITE_NEEDS_FAILING_MEMORY();
  const auto kept = std::make_shared<int>(0);
  std::uint64_t lists = 0;
  CommandList list;
  const auto fill_list = [&] {
    list = CommandList();
    list.append(KernelId::kFill, FillArgs{cell(0), 1, 0}, Kept{kept, 0});
  };
  fill_list();
  with_failing_memory(
      [&] {
        const Ticket closes{a().submitted + 1};
        (void)device().submit(*a().queue, std::move(list), closes, SubmitHint::kCallerWaits);
        a().submitted = closes.value;
        ++lists;
      },
      [&](bool threw) {
        if (threw) {
          ASSERT_EQ(kept.use_count(), 2) << "the list is still the caller's";
          ASSERT_NE(list.begin(), list.end());
          ASSERT_EQ(executed(KernelId::kFill), lists);
          submit(a(), std::move(list), SubmitHint::kCallerWaits);
          ++lists;
        }
        ASSERT_TRUE(reach(a()));
        a().queue->release_ended();
        ASSERT_EQ(kept.use_count(), 1);
        ASSERT_EQ(executed(KernelId::kFill), lists) << "once, whatever failed";
        ASSERT_FALSE(a().queue->failures().ever_failed());
        fill_list();
      });
}

TEST_P(DeviceSuite, Contract3c_AWaitWithoutHostMemoryChangesNothing) {
  SUITE_NEEDS_FAILING_MEMORY();
  SUITE_NEEDS_HOLD();
  for (const bool inherits : {true, false}) {
    Line& producer = line();
    CommandList held = held_list(producer);
    append_fill(held, cell(0), 7);
    submit_held(producer, std::move(held));
    Line* consumer = &line();
    with_failing_memory(
        [&] {
          const Status status = inherits ? device().wait_on(*consumer->queue, *producer.queue, producer.last())
                                         : device().order_on(*consumer->queue, *producer.queue, producer.last());
          EXPECT_TRUE(status.ok()) << status.text();
        },
        [&](bool threw) {
          if (threw) {
            submit(*consumer, fill(1, 1), SubmitHint::kCallerWaits);
            ASSERT_TRUE(reach(*consumer)) << "nothing is waited for";
            ASSERT_LT(producer.queue->completed(), producer.last());
          }
          consumer = &line();
        });
    let_go();
    ASSERT_TRUE(reach(producer));
  }
}

TEST_P(DeviceSuite, Contract3d_AListThatWasTakenFailsWithoutHostMemory) {
  SUITE_NEEDS_FAILING_MEMORY();
  for (const bool throws : {false, true}) {
    if (throws && !GetParam().computes_results) continue;
    bool taken = false;
    const auto failing_list = [&] {
      taken = false;
      if (!throws) return bad();
      CommandList list;
      append_custom(list, "thrower", [](void*) { throw 7; });  // NOLINT: throwing an exception object takes memory
      return list;
    };
    CommandList list = failing_list();
    with_failing_memory(
        [&] {
          const Ticket closes{a().submitted + 1};
          (void)device().submit(*a().queue, std::move(list), closes, SubmitHint::kCallerWaits);
          taken = true;
          a().submitted = closes.value;
          while (a().queue->completed() < closes && device().help(*a().queue, closes)) {
          }
        },
        [&](bool threw) {
          ASSERT_FALSE(threw && taken) << "the list was taken";
          if (threw) (void)submit_any(a(), std::move(list), SubmitHint::kCallerWaits);
          ASSERT_TRUE(reach(a()));
          ASSERT_FALSE(a().status_of(a().submitted).ok());
          device().clear_failure(*a().queue, a().last());
          list = failing_list();
        });
  }
}

}  // namespace
}  // namespace heddle::suite
