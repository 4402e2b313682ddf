// Waits that end too late, too early, or never: each fails, and its repaired twin passes.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kernels.hpp"

namespace heddle_check {
namespace {

// Without the mutex, the flag may be set and the notification sent between the waiter's check and its wait.
std::function<void()> handshake(bool with_mutex, bool timed) {
  return [=] {
    Mutex mutex;
    ConditionVariable changed;
    Atomic<bool> ready{false};
    run_together({{"waiter",
                   [&] {
                     mutex.lock();
                     while (!ready.load()) {
                       if (timed) {
                         changed.wait_until(mutex, now() + std::chrono::milliseconds(5));
                       } else {
                         changed.wait(mutex);
                       }
                     }
                     mutex.unlock();
                   }},
                  {"setter", [&] {
                     if (with_mutex) mutex.lock();
                     ready.store(true);
                     if (with_mutex) mutex.unlock();
                     changed.notify_one();
                   }}});
  };
}

TEST(Waiting, LostWakeup) {
  expect_failure(exhaust(handshake(false, false)), FailureKind::kLostWakeup);
  expect_pass(exhaust(handshake(true, false), {.spurious_wakeups = 2}));
}

TEST(Waiting, LostWakeupThatATimeoutWouldHide) {
  expect_failure(exhaust(handshake(false, true)), FailureKind::kMaskedLostWakeup);
  expect_pass(exhaust(handshake(false, true), {.masked_wakeups = false}));
  expect_pass(exhaust(handshake(true, true)));
  expect_pass(exhaust(handshake(true, true), {.timeout_mode = Timeouts::kChoice, .timeouts = 2}));
}

// With `if`, a spurious wake-up passes.
TEST(Waiting, SpuriousWakeup) {
  const auto body = [] {
    Mutex mutex;
    ConditionVariable changed;
    bool ready = false;
    run_together({{"waiter",
                   [&] {
                     mutex.lock();
                     if (!ready) changed.wait(mutex);
                     require(ready, "it is ready after the wait");
                     mutex.unlock();
                   }},
                  {"setter", [&] {
                     mutex.lock();
                     ready = true;
                     mutex.unlock();
                     changed.notify_one();
                   }}});
  };
  expect_pass(exhaust(body));
  expect_failure(exhaust(body, {.spurious_wakeups = 1}), FailureKind::kOracle);
}

TEST(Waiting, Timeouts) {
  const auto body = [] {
    Mutex mutex;
    ConditionVariable changed;
    bool ready = false;
    run_together({{"waiter",
                   [&] {
                     const TimePoint deadline = now() + std::chrono::seconds(1);
                     mutex.lock();
                     bool in_time = true;
                     while (!ready && in_time) in_time = changed.wait_until(mutex, deadline);
                     require(in_time, "the other thread came in time");
                     mutex.unlock();
                   }},
                  {"setter", [&] {
                     mutex.lock();
                     ready = true;
                     mutex.unlock();
                     changed.notify_one();
                   }}});
  };
  expect_pass(exhaust(body));
  expect_failure(exhaust(body, {.timeout_mode = Timeouts::kChoice, .timeouts = 1}), FailureKind::kOracle);
  expect_failure(exhaust(body, {.timeout_mode = Timeouts::kFirst}), FailureKind::kOracle);
}

TEST(Waiting, LivelockAndFairness) {
  const auto body = [](bool stored) {
    return [=] {
      Atomic<bool> go{false};
      run_together({{"spinner",
                     [&] {
                       while (!go.load()) yield();
                     }},
                    {"other", [&] {
                       if (stored) go.store(true);
                     }}});
    };
  };
  expect_failure(exhaust(body(false), {.points_max = 1000}), FailureKind::kLivelock);
  const Result fair = exhaust(body(true), {.points_max = 1000});
  expect_pass(fair);
  EXPECT_LT(fair.depth_max, 20u);
}

TEST(Waiting, SpinLoopsWithADeadlineEnd) {
  expect_pass(exhaust([] {
    const Atomic<bool> never{false};
    const TimePoint end = now() + std::chrono::microseconds(50);
    while (!never.load() && now() < end) yield();
  }));
}

// The possible observations of two waiters with deadlines and a third thread: three unordered flags, the results of the
// waits, the clock.
std::set<std::string> outcomes(bool clock_is_visible, Exhaustive::Reduction reduction, std::uint64_t* executions) {
  std::set<std::string> seen;
  Scenario made = scenario(
      [&] {
        Mutex mutexes[2];
        ConditionVariable changed[2];
        Atomic<int> done{0};
        std::string results[3];
        const TimePoint start = now();
        const auto waiter = [&](int own) {
          const TimePoint deadline = now() + std::chrono::milliseconds(1 + own);
          mutexes[own].lock();
          const bool notified = changed[own].wait_until(mutexes[own], deadline);
          mutexes[own].unlock();
          results[own] = fmt::format("{}{}", notified ? 'n' : 't', done.load());
        };
        run_together({{"first", [&] { waiter(0); }},
                      {"second", [&] { waiter(1); }},
                      {"third", [&] {
                         done.store(1);
                         const auto between = now() - start;
                         done.store(2);
                         changed[0].notify_one();
                         results[2] = fmt::format("{},{}", between.count(), (now() - start).count());
                       }}});
        seen.insert(fmt::format("{} {} {} {}", results[0], results[1], results[2], (now() - start).count()));
      },
      {.timeout_mode = Timeouts::kChoice,
       .timeouts = 1,
       .spurious_wakeups = 1,
       .clock_is_visible = clock_is_visible,
       .masked_wakeups = false});
  const Result result = exhaust(made, reduction);
  expect_pass(result);
  *executions = result.executions;
  return seen;
}

// Making readings of the clock operations, so that waits with a deadline depend on few others, loses no outcome.
TEST(Waiting, AVisibleClockLosesNoOutcome) {
  std::uint64_t all = 0, reduced = 0, visible = 0;
  const auto every = outcomes(false, Exhaustive::Reduction::kNone, &all);
  EXPECT_EQ(outcomes(false, Exhaustive::Reduction::kSleepSets, &reduced), every);
  EXPECT_EQ(outcomes(true, Exhaustive::Reduction::kSleepSets, &visible), every);
  EXPECT_GT(every.size(), 20u);
  EXPECT_LT(visible, reduced / 2);
  EXPECT_LT(reduced, all);
}

}  // namespace
}  // namespace heddle_check
