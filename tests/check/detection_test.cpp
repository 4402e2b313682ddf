// Each kind of failure: a program with the bug fails with it, and its repaired twin passes.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>

#include "kernels.hpp"

namespace heddle_check {
namespace {

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

// In opposite orders, but never simultaneously: no execution deadlocks.
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

// The race exists in any order of the accesses: one execution is enough.
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

// New contents in the memory do not hide the use.
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

// The destructors of thread-local objects run on their thread, which can still be preempted.
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
// Like thread_local: an object without a destructor lives until its thread ends, whatever the order of construction.
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
