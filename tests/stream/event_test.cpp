// Events as values: what they say before, at and after their point, across streams, failures and the runtime's end.
#include "heddle/event.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

const Status kBoom(ErrorKind::kDeviceError, "boom");

TEST(Event, TheEmptyOneIsBeforeEverything) {
  const Event event;
  EXPECT_TRUE(event.query());
  EXPECT_TRUE(event.status().ok());
  EXPECT_NO_THROW(event.wait());
  SimCore sim;
  EXPECT_NO_THROW(sim.wait(event));
}

TEST(Event, C40_IsNotPassedBeforeItsOwnWorkIs) {
  SimCore sim;
  sim.submit();
  const Event first = sim.record_event();
  sim.submit();
  const Event second = sim.record_event();
  EXPECT_FALSE(first.query());
  EXPECT_FALSE(second.query());
  ASSERT_TRUE(sim.device().step());
  EXPECT_TRUE(first.query());
  EXPECT_FALSE(second.query());
  ASSERT_TRUE(sim.device().step());
  EXPECT_TRUE(second.query());
  EXPECT_TRUE(first.query()) << "never back";
}

TEST(Event, C40_OfAnEarlierHolderIsNotMovedByTheNext) {
  SimCore sim(exactly(1));
  Event first;
  std::thread([&] {
    sim.submit();
    first = sim.record_event();
  }).join();
  EXPECT_FALSE(first.query());
  sim.run_all();
  EXPECT_TRUE(first.query());
  Event second;
  std::thread([&] {
    sim.submit();
    second = sim.record_event();
  }).join();
  EXPECT_EQ(EventAccess::lane(first), EventAccess::lane(second));
  EXPECT_LT(first.ticket(), second.ticket()) << "tickets of a stream go on over its holders";
  EXPECT_TRUE(first.query());
  EXPECT_FALSE(second.query());
}

TEST(Event, R20_WaitingForTheSecondPointDoesNotReturnAtTheFirst) {
  SimCore sim;
  const Tensor a = sim.submit();
  const Event first = sim.record_event();
  const Tensor b = sim.submit();
  const Event second = sim.record_event();
  std::latch waits(1);
  sync::Atomic<bool> returned{false};
  std::thread waiter([&] {
    waits.count_down();
    second.wait();
    EXPECT_TRUE(second.query());
    returned.store(true);
  });
  waits.wait();
  ASSERT_TRUE(sim.device().step());
  EXPECT_NO_THROW(first.wait());
  EXPECT_FALSE(second.wait_for(milliseconds(1)));
  EXPECT_FALSE(returned.load());
  ASSERT_TRUE(sim.device().step());
  waiter.join();
}

TEST(Event, C43_ABoundedWaitOnADeviceThatDoesNothingEnds) {
  SimCore sim;
  sim.submit();
  const Event event = sim.record_event();
  EXPECT_FALSE(event.wait_for(milliseconds(1)));
  EXPECT_FALSE(event.wait_for(milliseconds(0)));
  EXPECT_FALSE(event.query());
  sim.run_all();
  EXPECT_TRUE(event.wait_for(std::chrono::nanoseconds::max())) << "no overflow of the deadline";
}

TEST(Event, C43_OfAnEmptyStreamIsPassed) {
  SimCore sim;
  const Event event = sim.record_event();
  EXPECT_TRUE(event.query());
  EXPECT_NO_THROW(event.wait());
}

TEST(Event, WaitThrowsTheErrorOfItsPointAndAnEarlierOneDoesNot) {
  SimCore sim;
  sim.submit();
  const Event before = sim.record_event();
  sim.device().fail_execution(sim.stream(), Ticket{2}, kBoom);
  sim.submit();
  const Event failing = sim.record_event();
  sim.submit();
  const Event skipped = sim.record_event();
  EXPECT_TRUE(failing.status().ok()) << "nothing is known yet";
  sim.run_all();
  EXPECT_NO_THROW(before.wait());
  EXPECT_TRUE(before.status().ok());
  for (const Event& event : {failing, skipped}) {
    EXPECT_TRUE(event.query());
    EXPECT_EQ(event.status().kind(), ErrorKind::kDeviceError);
    EXPECT_TRUE(contains(text_of<DeviceError>([&] { event.wait(); }), "boom"));
    EXPECT_THROW(event.wait(), DeviceError) << "every time, not once";
  }
  EXPECT_THROW(sim.synchronize(), DeviceError);
  EXPECT_EQ(failing.status().kind(), ErrorKind::kDeviceError) << "collected, but this point failed";
  sim.submit();
  const Event after = sim.record_event();
  sim.run_all();
  EXPECT_NO_THROW(after.wait());
}

TEST(Event, AStreamThatWaitsInheritsTheError) {
  SimCore sim;
  Lease a = sim.lease();
  sim.device().fail_execution(a.id(), Ticket{1}, kBoom);
  sim.submit();
  const Event failing = a.record_event();
  Lease b = sim.lease();
  b.wait(failing);
  const Tensor y = full(sim, {4}, 2.0f);
  const Event inherited = b.record_event();
  sim.run_all();
  EXPECT_EQ(inherited.status().kind(), ErrorKind::kDeviceError);
  const std::string text = text_of<DeviceError>([&] { b.synchronize(); });
  EXPECT_TRUE(contains(text, "inherited from stream " + std::to_string(a.id().value))) << text;
  EXPECT_TRUE(contains(text, "boom")) << text;
  const Tensor z = full(sim, {4}, 3.0f);
  const DeviceRunner runner(sim.device());
  EXPECT_NO_THROW(b.synchronize()) << "collected";
}

TEST(Event, OfItsOwnStreamMayBeWaitedForThere) {
  SimCore sim;
  const Tensor x = sim.submit(1.0f);
  const Event event = sim.record_event();
  EXPECT_NO_THROW(sim.wait(event));
  const Tensor y = add(x, x);
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(y.to_host(), std::vector<float>(4, 2.0f));
}

TEST(Event, OfAnotherRuntimeIsRefusedOnAStreamAndGoodOnTheHost) {
  SimCore sim;
  SimCore other;
  other.submit();
  const Event event = other.record_event();
  EXPECT_TRUE(contains(text_of<InvalidArgument>([&] { sim.wait(event); }), "Event::wait"));
  other.run_all();
  EXPECT_NO_THROW(event.wait());
}

TEST(Event, C44_OutlivesItsLeaseItsStreamAndItsRuntime) {
  Event passed, failed, copy;
  {
    SimCore sim;
    Lease lease = sim.lease();
    sim.submit();
    passed = lease.record_event();
    sim.device().fail_execution(lease.id(), Ticket{2}, kBoom);
    sim.submit();
    failed = lease.record_event();
    copy = failed;
  }
  EXPECT_TRUE(passed.query());
  EXPECT_NO_THROW(passed.wait());
  EXPECT_THROW(failed.wait(), DeviceError);
  EXPECT_EQ(copy.status().kind(), ErrorKind::kDeviceError);
  SimCore next;
  EXPECT_THROW(next.wait(passed), InvalidArgument) << "not taken for one of this runtime's";
}

TEST(Event, R04_AWaitGoesOnWhenEverythingElseLetsGoOfTheEvent) {
  SimCore sim;
  std::latch waits(1);
  std::thread waiter([&] {
    Event own;
    std::thread([&] {
      const Lease lease = sim.lease();
      sim.submit();
      own = sim.record_event();
    }).join();
    waits.count_down();
    own.wait();
    EXPECT_TRUE(own.query());
  });
  waits.wait();
  for (int i = 0; i < 40; ++i) sim.record_event();
  sim.run_all();
  waiter.join();
}

TEST(Event, R03_ManyThreadsAskWhileTheRuntimeEnds) {
  for (int round = 0; round < 20; ++round) {
    auto sim = std::make_unique<SimCore>();
    for (int i = 0; i < 20; ++i) sim->submit();
    const Event event = sim->record_event();
    std::vector<std::thread> askers;
    for (int t = 0; t < 4; ++t) {
      askers.emplace_back([event] {
        EXPECT_NO_THROW(event.wait());
        for (int i = 0; i < 200; ++i) ASSERT_TRUE(event.query());
      });
    }
    sim.reset();
    for (auto& asker : askers) asker.join();
  }
}

TEST(Event, C44_OneThatWasMovedFromIsBeforeEverything) {
  Event event;
  {
    SimCore sim;
    sim.submit();
    event = sim.record_event();
    const Event moved = std::move(event);
    EXPECT_FALSE(moved.query());
  }
  EXPECT_EQ(EventAccess::lane(event), nullptr);  // NOLINT(bugprone-use-after-move): its stream is gone
  EXPECT_TRUE(event.query());
  EXPECT_TRUE(event.status().ok());
  EXPECT_NO_THROW(event.wait());
}

}  // namespace
}  // namespace heddle
