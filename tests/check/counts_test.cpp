// The numbers of executions of straight-line programs against closed forms, which a search that repeats or omits a
// schedule cannot match.
#include <gtest/gtest.h>

#include "kernels.hpp"

namespace heddle_check {
namespace {

using Reduction = Exhaustive::Reduction;

// (threads * sections)! / sections!^threads
std::uint64_t multinomial(std::uint64_t threads, std::uint64_t sections) {
  std::uint64_t ways = 1;
  for (std::uint64_t t = 1; t <= threads; ++t) {
    for (std::uint64_t s = 1; s <= sections; ++s) ways = ways * ((t - 1) * sections + s) / s;
  }
  return ways;
}

Scenario one_lock(int threads, int sections) {
  return scenario([=] {
    Mutex mutex;
    at_once(threads, [&](int) {
      for (int i = 0; i < sections; ++i) {
        mutex.lock();
        mutex.unlock();
      }
    });
  });
}

Scenario one_counter(int threads, int updates) {
  return scenario([=] {
    Atomic<int> counter{0};
    at_once(threads, [&](int) {
      for (int i = 0; i < updates; ++i) counter.fetch_add(1);
    });
    require(counter.load() == threads * updates, "no update is lost");
  });
}

Scenario nested_locks(int threads, int rounds) {
  return scenario([=] {
    std::vector<Mutex> own(static_cast<std::size_t>(threads));
    Mutex global;
    at_once(threads, [&](int t) {
      for (int i = 0; i < rounds; ++i) {
        own[static_cast<std::size_t>(t)].lock();
        global.lock();
        global.unlock();
        own[static_cast<std::size_t>(t)].unlock();
      }
    });
  });
}

Scenario disjoint_locks(int threads, int sections) {
  return scenario([=] {
    std::vector<Mutex> own(static_cast<std::size_t>(threads));
    at_once(threads, [&](int t) {
      for (int i = 0; i < sections; ++i) {
        own[static_cast<std::size_t>(t)].lock();
        own[static_cast<std::size_t>(t)].unlock();
      }
    });
  });
}

void expect_executions(const Result& result, std::uint64_t distinct) {
  EXPECT_TRUE(result.exhausted);
  EXPECT_FALSE(result.failed()) << result.failure.text;
  EXPECT_EQ(result.executions - result.redundant, distinct);
}

TEST(Counts, EverySequenceOfLockSectionsOnce) {
  expect_executions(exhaust(one_lock(2, 4), Reduction::kNone), 70);
  expect_executions(exhaust(one_lock(2, 4)), multinomial(2, 4));
  expect_executions(exhaust(one_lock(3, 3)), multinomial(3, 3));
  expect_executions(exhaust(one_lock(3, 4)), 34'650);
}

TEST(Counts, EverySequenceOfContendedUpdatesOnce) {
  expect_executions(exhaust(one_counter(2, 4)), 70);
  expect_executions(exhaust(one_counter(3, 4)), 34'650);
}

TEST(Counts, IndependentLocksHaveOneOrder) {
  const Result reduced = exhaust(disjoint_locks(3, 4));
  expect_executions(reduced, 1);
  EXPECT_LE(reduced.redundant, 80u);
  expect_executions(exhaust(disjoint_locks(2, 3), Reduction::kNone), multinomial(2, 3));
}

// Only the order of the global sections matters.
TEST(Counts, NestedLocksReduceToTheOrderOfTheSharedOne) {
  expect_executions(exhaust(nested_locks(2, 2)), 6);
  expect_executions(exhaust(nested_locks(3, 2)), 90);
  expect_executions(exhaust(nested_locks(2, 2), Reduction::kNone), 70);
}

// A wait that times out while its thread meets no other has one order with the others' operations. With an invisible
// clock it has as many as there are places among their sections for its end.
TEST(Counts, AWaitWithADeadlineHasOneOrderWithUnrelatedSections) {
  const auto waiter_and_sections = [](bool clock_is_visible) {
    Scenario made = scenario([] {
      Mutex own, other;
      ConditionVariable changed;
      const TimePoint deadline = now() + std::chrono::milliseconds(1);
      run_together({{"waiter",
                     [&] {
                       own.lock();
                       static_cast<void>(changed.wait_until(own, deadline));
                       own.unlock();
                     }},
                    {"other", [&] {
                       for (int i = 0; i < 3; ++i) {
                         other.lock();
                         other.unlock();
                       }
                     }}});
    });
    made.limits = {.timeout_mode = Timeouts::kChoice, .timeouts = 1, .clock_is_visible = clock_is_visible};
    return made;
  };
  expect_executions(exhaust(waiter_and_sections(true)), 1);
  expect_executions(exhaust(waiter_and_sections(false)), 4);
}

// If no store is seen late, fences affect no other thread.
TEST(Counts, FencesHaveOneOrderWithUnrelatedSections) {
  const auto fences_and_sections = [](std::uint32_t stale_reads) {
    Scenario made = scenario([] {
      Mutex mutex;
      run_together({{"fences", [] { fence_all_threads(); }}, {"other", [&] {
                                                                for (int i = 0; i < 3; ++i) {
                                                                  mutex.lock();
                                                                  mutex.unlock();
                                                                }
                                                              }}});
    });
    made.limits.stale_reads = stale_reads;
    return made;
  };
  expect_executions(exhaust(fences_and_sections(0)), 1);
  expect_executions(exhaust(fences_and_sections(1)), 4);
}

void expect_bounded(const Scenario& of, int bound, std::uint64_t executions) {
  Explorer explorer;
  Bounded strategy(bound);
  const Result result = explorer.explore(of, strategy, {});
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.bound, bound);
  EXPECT_EQ(strategy.executions_at_bound(), executions) << "at most " << bound << " preemptions";
}

TEST(Counts, SchedulesByPreemptions) {
  expect_bounded(one_lock(2, 4), 1, 8);
  expect_bounded(one_lock(2, 4), 2, 26);
  expect_bounded(one_lock(2, 4), 3, 44);
  expect_bounded(one_lock(3, 4), 1, 60);
  expect_bounded(one_lock(3, 4), 2, 402);
  expect_bounded(one_lock(3, 4), 3, 1'752);
}

// The counts of contended updates, and of nested locks with unlocks as operations.
TEST(Counts, SchedulesByPreemptionsOfUpdatesAndVisibleUnlocks) {
  expect_bounded(one_counter(3, 4), 1, 60);
  expect_bounded(one_counter(3, 4), 2, 402);
  expect_bounded(one_counter(3, 4), 3, 1'752);
  Scenario nested = nested_locks(2, 2);
  nested.limits.unlock_is_visible = true;
  expect_executions(exhaust(nested, Reduction::kNone), 3'334);
  expect_bounded(nested, 1, 16);
  expect_bounded(nested, 2, 88);
  expect_bounded(nested, 3, 298);
}

Scenario mixed(int threads, int rounds) {
  return scenario([=] {
    std::vector<Atomic<int>> own(static_cast<std::size_t>(threads));
    Mutex mutex;
    Atomic<int> shared{0};
    at_once(threads, [&](int t) {
      for (int i = 0; i < rounds; ++i) {
        own[static_cast<std::size_t>(t)].fetch_add(1);
        mutex.lock();
        mutex.unlock();
        shared.fetch_add(1);
      }
    });
  });
}

// A private atomic, a lock, a shared counter: the consistent orders of sections and updates.
TEST(Counts, MixedOperations) {
  expect_executions(exhaust(mixed(2, 4)), 1'500);
  expect_executions(exhaust(mixed(3, 2)), 3'606);
  Scenario with_unlocks = mixed(2, 4);
  with_unlocks.limits.unlock_is_visible = true;
  expect_bounded(with_unlocks, 1, 32);
  expect_bounded(with_unlocks, 2, 374);
  expect_bounded(with_unlocks, 3, 2'748);
  with_unlocks = mixed(3, 2);
  with_unlocks.limits.unlock_is_visible = true;
  expect_bounded(with_unlocks, 1, 156);
  expect_bounded(with_unlocks, 2, 2'028);
  expect_bounded(with_unlocks, 3, 18'720);
}

TEST(Counts, ABoundThatCutsNothingIsEverything) {
  Explorer explorer;
  Bounded strategy(100);
  const Result result = explorer.explore(one_lock(2, 2), strategy, {});
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(strategy.executions_at_bound(), 6u);
  EXPECT_EQ(result.bound, 100);
}

// A notification chooses among the waiters; counted if all were waiting when it came.
TEST(Counts, EveryWaiterIsWoken) {
  std::vector<int> woken(3);
  const Result result = exhaust([&] {
    Mutex mutex;
    ConditionVariable changed;
    int waiting = 0;
    int first = -1;
    bool go = false, all = false;
    at_once(4, [&](int t) {
      mutex.lock();
      if (t < 3) {
        ++waiting;
        while (!go) changed.wait(mutex);
        if (first < 0) first = t;
        go = true;
        mutex.unlock();
        changed.notify_all();
        return;
      }
      all = waiting == 3;
      go = true;
      mutex.unlock();
      if (all) {
        changed.notify_one();
      } else {
        changed.notify_all();
      }
    });
    if (all) ++woken[static_cast<std::size_t>(first)];
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_FALSE(result.failed()) << result.failure.text;
  for (const int times : woken) EXPECT_GT(times, 0);
}

}  // namespace
}  // namespace heddle_check
