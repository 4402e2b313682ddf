#include "heddle/stream/wake_policy.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

using std::chrono::microseconds;

// How many registrations pass until one wakes the handler thread in advance.
unsigned skipped(WakePolicy& policy) {
  unsigned count = 0;
  while (!policy.on_registration()) ++count;
  return count;
}

TEST(WakePolicy, WakesInAdvanceWhileThatIsInTime) {
  WakePolicy policy;
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(policy.on_registration());
    EXPECT_TRUE(policy.woken_early());
    policy.on_work();
    EXPECT_FALSE(policy.woken_early());
  }
}

TEST(WakePolicy, BacksOffExponentiallyAfterWakeUpsThatCameTooEarly) {
  WakePolicy policy;
  for (const unsigned expected : {0u, 1u, 3u, 7u, 15u, 31u, 63u, 127u, 255u, 511u, 1023u, 1023u, 1023u}) {
    EXPECT_EQ(skipped(policy), expected);
    policy.on_sleep();
  }
}

TEST(WakePolicy, OneWakeUpInTimeEndsTheBackOff) {
  WakePolicy policy;
  for (int round = 0; round < 5; ++round) {
    skipped(policy);
    policy.on_sleep();
  }
  EXPECT_EQ(skipped(policy), 31u);
  policy.on_work();
  EXPECT_EQ(skipped(policy), 0u);
}

TEST(WakePolicy, OnlyAnEarlyWakeUpIsJudged) {
  WakePolicy policy;
  policy.on_sleep();
  policy.on_sleep();
  EXPECT_EQ(skipped(policy), 0u) << "it slept without having been woken in advance";
  policy.on_sleep();
  policy.on_work();  // a usual wake-up
  EXPECT_EQ(skipped(policy), 1u) << "that says nothing of the early ones";
}

TEST(WakePolicy, YieldsOnceInFourLateLists) {
  for (unsigned late = 1; late <= 12; ++late) EXPECT_EQ(WakePolicy::yields_to_handlers(late), late % 4 == 0) << late;
}

TEST(WakePolicy, DoesNotSpinOnTheProcessorOfTheThreadThatHasToMakeWork) {
  EXPECT_FALSE(WakePolicy::spins_on(3, 3));
  EXPECT_TRUE(WakePolicy::spins_on(3, 2));
  EXPECT_TRUE(WakePolicy::spins_on(3, -1)) << "no stream was ready yet";
}

TEST(SpinTimes, AreLongerOnlyWhileHandlersWaitOnADeviceThatAnnouncesNothing) {
  Limits limits;
  limits.spin_max = microseconds(20);
  const auto expecting = [&](bool spins, bool announces) { return SpinTimes::of(limits, spins, announces).expecting; };
  EXPECT_EQ(expecting(true, true), microseconds(20));
  EXPECT_EQ(expecting(true, false), SpinTimes::kBetweenLists);
  EXPECT_EQ(expecting(false, false), microseconds(20));
  limits.spin_max = microseconds(0);
  EXPECT_EQ(expecting(true, false), microseconds(0)) << "spinning is switched off";
  limits.spin_max = microseconds(5000);
  EXPECT_EQ(expecting(true, false), microseconds(5000));
  EXPECT_EQ(SpinTimes::of(limits, true, false).usual, microseconds(5000));
}

}  // namespace
}  // namespace heddle
