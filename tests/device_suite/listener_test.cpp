// Contracts 5 and 6: who hears of progress, and what may be done there.
#include <thread>

#include "device_suite/suite.hpp"
#include "heddle/sync/lock_checks.hpp"

namespace heddle::suite {
namespace {

#define SUITE_NEEDS_ANNOUNCEMENTS() SUITE_NEEDS(info().announces, "the device writes tickets silently")

TEST_P(DeviceSuite, Contract5a_AWatchedQueueIsAnnounced) {
  SUITE_NEEDS_ANNOUNCEMENTS();
  for (const SubmitHint hint : {SubmitHint::kAsynchronous, SubmitHint::kCallerWaits}) {
    a().queue->watch();
    submit(a(), fill(0, 1), hint);
    ASSERT_TRUE(reach(a()));
    EXPECT_TRUE(await([&] { return listener().seen >= a().submitted; }));
    a().queue->unwatch();
  }
}

TEST_P(DeviceSuite, OnProgress_TheQueueHasAdvancedByThen) {
  SUITE_NEEDS_ANNOUNCEMENTS();
  std::atomic<std::uint64_t> before{0};
  std::atomic<int> calls_of_another{0}, calls_without_progress{0};
  listener().then = [&](Queue& queue) {
    if (&queue != a().queue.get()) ++calls_of_another;
    const std::uint64_t now = queue.completed().value;
    if (before.exchange(now) >= now) ++calls_without_progress;
  };
  a().queue->watch();
  for (int i = 0; i < 20; ++i) {
    submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
    ASSERT_TRUE(reach(a()));
    ASSERT_TRUE(await([&] { return listener().seen >= a().submitted; }));
  }
  a().queue->unwatch();
  EXPECT_EQ(calls_of_another, 0);
  EXPECT_EQ(calls_without_progress, 0);
}

TEST_P(DeviceSuite, Contract5a_AFailedListIsAnnouncedToo) {
  SUITE_NEEDS_ANNOUNCEMENTS();
  a().queue->watch();
  (void)submit_any(a(), bad());
  (void)submit_any(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(await([&] { return listener().seen >= a().submitted; }));
  a().queue->unwatch();
}

TEST_P(DeviceSuite, Contract5b_ASilentDeviceNeverCallsTheListener) {
  SUITE_NEEDS(!info().announces, "the device announces its progress");
  a().queue->watch();
  for (int i = 0; i < 20; ++i) submit(a(), fill(0, 1));
  (void)submit_any(a(), bad());
  ASSERT_TRUE(reach(a()));
  device().poll();
  a().queue->unwatch();
  a().queue.reset();
  EXPECT_EQ(listener().calls, 0);
}

// A lock that the backend held would be seen by the checks of locks, or keep the other thread from its end.
TEST_P(DeviceSuite, Contract6a_TheListenerIsCalledWithoutALockOfTheBackend) {
  SUITE_NEEDS_ANNOUNCEMENTS();
  Line& other = line();
  std::atomic<bool> used{false};
  std::thread user;
  listener().then = [&](Queue&) {
    sync::assert_no_locks_held("the listener of a device");
    if (user.joinable()) return;
    user = std::thread([&] {
      void* segment = nullptr;
      if (device().allocate_segment(info().segment_granule, &segment).ok()) {
        device().release_segment(segment, info().segment_granule);
      }
      (void)device().memory_info();
      (void)device().executed();
      (void)device().lost();
      (void)device().busy();
      (void)device().recycled_list(*other.queue);
      (void)device().recycled_list(*a().queue);  // nobody else hands over to it
      (void)device().wait_on(*other.queue, *b().queue, b().last());
      (void)device().order_on(*other.queue, *a().queue, a().last());
      submit(other, fill(1, 1));
      submit(b(), fill(2, 1));  // a cell of its own: nothing orders the two
      (void)a().queue->failures().status_of(a().last());
      used = true;
    });
    EXPECT_TRUE(await([&] { return used.load(); })) << "a call waits for what the listener's caller holds";
  };
  a().queue->watch();
  submit(a(), fill(0, 1), SubmitHint::kCallerWaits);
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(await([&] { return listener().calls > 0; }));
  user.join();
  a().queue->unwatch();
  ASSERT_TRUE(reach(other));
}

TEST_P(DeviceSuite, Contract6a_AFailedListIsAnnouncedWithoutALockToo) {
  SUITE_NEEDS_ANNOUNCEMENTS();
  listener().then = [&](Queue& queue) {
    sync::assert_no_locks_held("the listener of a device");
    (void)device().executed();
    EXPECT_FALSE(queue.failures().open_error().ok());
  };
  a().queue->watch();
  (void)submit_any(a(), bad());
  ASSERT_TRUE(reach(a()));
  EXPECT_TRUE(await([&] { return listener().calls > 0; }));
  a().queue->unwatch();
}

TEST_P(DeviceSuite, Watch_AQueueThatNobodyWatchesIsNotAnnounced) {
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  a().queue->watch();
  a().queue->watch();
  a().queue->unwatch();
  EXPECT_TRUE(a().queue->watched());
  a().queue->unwatch();
  EXPECT_FALSE(a().queue->watched());
  submit(a(), fill(0, 1));
  ASSERT_TRUE(reach(a()));
  a().queue.reset();  // what its last list does is over
  EXPECT_EQ(listener().calls, 0);
}

// Sequentially consistent: the watcher sees the new ticket, or the backend sees the watcher.
TEST_P(DeviceSuite, Watch_EitherTheTicketIsSeenOrTheListenerIsCalled) {
  SUITE_NEEDS_ANNOUNCEMENTS();
  for (std::uint64_t round = 1; round <= 100; ++round) {
    std::thread runner([&] {
      submit(a(), fill(0, 1));
      EXPECT_TRUE(reach(a(), round));
    });
    a().queue->watch();
    const bool complete = a().queue->completed_after_watch() >= Ticket{round};
    EXPECT_TRUE(complete || await([&] { return listener().seen >= round; })) << round;
    runner.join();
    a().queue->unwatch();
    if (HasFailure()) return;
  }
}

TEST_P(DeviceSuite, SetListener_ADeviceWithoutOneRunsListsToo) {
  std::unique_ptr<Device> alone;
  ASSERT_TRUE(GetParam().open(&alone).ok());
  ASSERT_TRUE(alone->preload().ok());
  std::unique_ptr<Queue> queue;
  ASSERT_TRUE(alone->create_queue(StreamId{1}, &queue).ok());
  queue->watch();
  CommandList list;
  list.append(static_cast<KernelId>(0x7FFF), FillArgs{});
  (void)alone->submit(*queue, std::move(list), Ticket{1}, SubmitHint::kCallerWaits);
  EXPECT_TRUE(await([&] { return queue->completed() == Ticket{1} || (alone->help(*queue, Ticket{1}), false); }));
  queue->unwatch();
}

}  // namespace
}  // namespace heddle::suite
