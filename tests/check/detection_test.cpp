// Each kind of failure: a program that has it fails with it, and its repaired twin passes.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>

#include "kernels.hpp"

namespace heddle_check {
namespace {

void expect_failure(const Result& result, FailureKind kind) {
  EXPECT_EQ(result.failure.kind, kind) << name_of(result.failure.kind) << ": " << result.failure.text;
  EXPECT_FALSE(result.trace.empty());
}
void expect_pass(const Result& result) {
  EXPECT_FALSE(result.failed()) << name_of(result.failure.kind) << ": " << result.failure.text << "\n" << result.trace;
  EXPECT_TRUE(result.exhausted);
}

std::function<void()> two_locks(bool opposite) {
  return [=] {
    Mutex a, b;
    at_once(2, [&](int t) {
      Mutex& first = t == 1 && opposite ? b : a;
      Mutex& second = t == 1 && opposite ? a : b;
      first.lock();
      second.lock();
      second.unlock();
      first.unlock();
    });
  };
}

TEST(Detection, Deadlock) {
  const Result result = exhaust(two_locks(true));
  expect_failure(result, FailureKind::kDeadlock);
  EXPECT_NE(result.failure.details.find("held by t"), std::string::npos) << result.failure.details;
  EXPECT_NE(result.failure.details.find("holds mutex#"), std::string::npos) << result.failure.details;
  expect_pass(exhaust(two_locks(false)));
}

// In opposite orders, but never at the same time: no execution deadlocks.
TEST(Detection, LockOrderOverAllExecutions) {
  const auto body = [](bool opposite) {
    return [=] {
      Mutex a("a"), b("b");
      for (const bool turn : {false, true}) {
        at_once(1, [&](int) {
          Mutex& first = turn && opposite ? b : a;
          Mutex& second = turn && opposite ? a : b;
          first.lock();
          second.lock();
          second.unlock();
          first.unlock();
        });
      }
    };
  };
  const Result result = exhaust(body(true));
  expect_failure(result, FailureKind::kLockOrder);
  EXPECT_NE(result.failure.text.find("a was held while b was locked"), std::string::npos) << result.failure.text;
  expect_pass(exhaust(body(false)));
}

TEST(Detection, LockRank) {
  expect_failure(exhaust([] {
                   Mutex low("low", 1), high("high", 2);
                   high.lock();
                   low.lock();
                 }),
                 FailureKind::kLockOrder);
}

TEST(Detection, LockHeldAtADoor) {
  expect_failure(exhaust([] {
                   Mutex mutex;
                   mutex.lock();
                   require_no_locks_held("a user's callable");
                 }),
                 FailureKind::kLockHeld);
}

// `notifies_late`: the flag is set and the notification sent without the mutex, between the waiter's look and its wait.
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

TEST(Detection, LostWakeup) {
  expect_failure(exhaust(handshake(false, false)), FailureKind::kLostWakeup);
  expect_pass(exhaust(handshake(true, false), {.spurious_wakeups = 2}));
}

TEST(Detection, LostWakeupThatATimeoutWouldHide) {
  expect_failure(exhaust(handshake(false, true)), FailureKind::kMaskedLostWakeup);
  expect_pass(exhaust(handshake(false, true), {.masked_wakeups = false}));
  expect_pass(exhaust(handshake(true, true)));
  expect_pass(exhaust(handshake(true, true), {.timeout_mode = Timeouts::kChoice, .timeouts = 2}));
}

// With `if`, a spurious wake-up goes through.
TEST(Detection, SpuriousWakeup) {
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

TEST(Detection, Timeouts) {
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
                     require(in_time, "the other came in time");
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

TEST(Detection, DataRace) {
  const auto body = [](bool locked) {
    return [=] {
      Mutex mutex;
      Cell<int> count(0, "count");
      at_once(2, [&](int) {
        if (locked) mutex.lock();
        count.set(count.get() + 1);
        if (locked) mutex.unlock();
      });
    };
  };
  expect_failure(exhaust(body(false)), FailureKind::kRace);
  expect_pass(exhaust(body(true)));
}

// The race is there in whatever order the accesses come: one execution is enough.
TEST(Detection, DataRaceIsSeenWithoutAnUnluckyOrder) {
  Explorer explorer;
  RandomWalk one(0.0, 1);
  const auto body = [] {
    Cell<int> cell(0, "cell");
    Thread other("other", [&] { cell.set(1); });
    cell.get();
    other.join();
  };
  EXPECT_EQ(explorer.explore(scenario(body), one, {.executions = 1}).failure.kind, FailureKind::kRace);
}

TEST(Detection, ReadersOfASharedMutexDoNotOrderEachOther) {
  const auto body = [](bool writes) {
    return [=] {
      SharedMutex mutex;
      Cell<int> cell(0, "cell");
      at_once(2, [&](int) {
        mutex.lock_shared();
        if (writes) {
          cell.set(1);
        } else {
          cell.get();
        }
        mutex.unlock_shared();
      });
      mutex.lock();
      cell.set(2);
      mutex.unlock();
    };
  };
  expect_failure(exhaust(body(true)), FailureKind::kRace);
  expect_pass(exhaust(body(false)));
}

TEST(Detection, UseAfterDestroy) {
  const auto body = [](bool waits) {
    return [=] {
      auto flag = std::make_unique<Atomic<int>>(0);
      Atomic<int>* seen = flag.get();
      Thread other("other", [seen] { seen->fetch_add(1); });
      if (waits) other.join();
      flag = nullptr;
      if (!waits) other.join();
    };
  };
  expect_failure(exhaust(body(false)), FailureKind::kUseAfterDestroy);
  expect_pass(exhaust(body(true)));
}

// What stands in the memory by then does not hide the use.
TEST(Detection, UseOfMemoryThatIsNotThePrimitiveAnyMore) {
  using Flag = Atomic<std::uint64_t>;
  expect_failure(exhaust([] {
                   alignas(Flag) std::array<std::byte, sizeof(Flag)> memory{};
                   Flag* flag = new (memory.data()) Flag(0);
                   flag->fetch_add(1);
                   run_together({{"destroyer",
                                  [&] {
                                    flag->~Flag();
                                    memory.fill(std::byte{0x5A});
                                  }},
                                 {"user", [&] { flag->fetch_add(1); }}});
                 }),
                 FailureKind::kUseAfterDestroy);
}

// The classic: the last user unlocks a mutex that its owner destroys as soon as it sees the state.
TEST(Detection, DestroyedWhileAnotherThreadIsAboutToNotify) {
  expect_failure(exhaust(
                     [] {
                       Mutex mutex;
                       std::optional<ConditionVariable> changed(std::in_place);
                       bool done = false;
                       Thread other("other", [&] {
                         mutex.lock();
                         done = true;
                         mutex.unlock();
                         changed->notify_one();
                       });
                       mutex.lock();
                       while (!done) changed->wait(mutex);
                       mutex.unlock();
                       changed.reset();
                       other.join();
                     },
                     {.spurious_wakeups = 1}),
                 FailureKind::kUseAfterDestroy);
}

TEST(Detection, LeakedThread) {
  expect_failure(exhaust([] { const Thread lost("lost", [] {}); }), FailureKind::kLeakedThread);
}

TEST(Detection, Exception) {
  expect_failure(exhaust([] { Thread("thrower", [] { throw std::runtime_error("no"); }).join(); }),
                 FailureKind::kException);
}

TEST(Detection, LivelockAndFairness) {
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

TEST(Detection, SpinLoopsWithADeadlineEnd) {
  expect_pass(exhaust([] {
    const Atomic<bool> never{false};
    const TimePoint end = now() + std::chrono::microseconds(50);
    while (!never.load() && now() < end) yield();
  }));
}

TEST(Detection, Misuse) {
  expect_failure(exhaust([] {
                   Mutex mutex;
                   mutex.lock();
                   mutex.lock();
                 }),
                 FailureKind::kMisuse);
  expect_failure(exhaust([] {
                   Mutex mutex;
                   mutex.unlock();
                 }),
                 FailureKind::kMisuse);
}

TEST(Detection, TryLockSeesUnlocks) {
  const auto body = [] {
    Mutex mutex;
    int failed = 0;
    run_together({{"holder",
                   [&] {
                     mutex.lock();
                     mutex.unlock();
                   }},
                  {"trier", [&] {
                     if (mutex.try_lock()) {
                       mutex.unlock();
                     } else {
                       ++failed;
                     }
                   }}});
    require(failed == 0, "the try never fails");
  };
  expect_failure(exhaust(body, {.unlock_is_visible = true}), FailureKind::kOracle);
  expect_failure(exhaust(body), FailureKind::kMisuse);
}

struct Tag;
struct Tracked {
  static inline Atomic<int> live{0};
  Tracked() { live.fetch_add(1); }
  ~Tracked() { live.fetch_sub(1); }
};

// The destructors of thread-local objects run on their thread, where they can still be switched away from.
TEST(Detection, ThreadLocalObjectsEndWithTheirThread) {
  int seen_while_ending = 0;
  expect_pass(exhaust([&] {
    Tracked::live.store(0);
    Thread user("user", [] { ThreadLocal<Tracked, Tag>::get(); });
    if (Tracked::live.load() == 1) ++seen_while_ending;
    user.join();
    require(Tracked::live.load() == 0, "destroyed before the join returned");
  }));
  EXPECT_GT(seen_while_ending, 0);
}

struct FlagTag;
struct OwnerTag;
// As thread_local does: what has no destructor stays to the end of its thread, whatever was made first.
struct SetsFlag {
  ~SetsFlag() { ThreadLocal<int, FlagTag>::get() += 1; }
};
struct LooksAtFlag {
  static inline int seen = -1;
  ~LooksAtFlag() { seen = ThreadLocal<int, FlagTag>::get(); }
};
TEST(Detection, ThreadLocalObjectsWithoutDestructorStayToTheEnd) {
  expect_pass(exhaust([] {
    Thread("user", [] {
      ThreadLocal<LooksAtFlag, OwnerTag>::get();
      ThreadLocal<SetsFlag, OwnerTag>::get();
      ThreadLocal<int, FlagTag>::get() = 1;
    }).join();
    require(LooksAtFlag::seen == 2, "the destructors shared the flag");
  }));
}

}  // namespace
}  // namespace heddle_check
