// In builds with ThreadSanitizer: it detects races on plain data between fibers, and accesses that the primitives order
// are no race.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "heddle_check/heddle_check.hpp"

namespace heddle_check {
namespace {

Failure failure_of(std::function<void()> body, Limits limits = {}) {
  const Scenario scenario{.name = "plain",
                          .group = "test",
                          .threads = 2,
                          .body = std::move(body),
                          .limits = limits,
                          .strategies = {},
                          .claim = ""};
  Explorer explorer;
  return explorer.explore(scenario, *make_strategy({.name = "walk", .switch_probability = 0.3}, 1), {.executions = 300})
      .failure;
}

bool races(std::function<void()> body, Limits limits = {}) {
  const Failure failure = failure_of(std::move(body), limits);
  EXPECT_TRUE(failure.kind == FailureKind::kNone || failure.kind == FailureKind::kRace) << failure.text;
  return failure.kind == FailureKind::kRace;
}

// Two threads change a plain field, each with `access` around it.
std::function<void()> two_change(const std::function<void(Mutex&, int&)>& access) {
  return [access] {
    Mutex mutex;
    int field = 0;
    run_together({{"first", [&] { access(mutex, field); }}, {"second", [&] { access(mutex, field); }}});
  };
}

TEST(PlainRaces, WhatNothingOrdersIsARace) {
  EXPECT_TRUE(races(two_change([](Mutex&, int& field) { ++field; })));
  EXPECT_TRUE(races(two_change([](Mutex&, int& field) {
    yield();  // a switch creates no order
    ++field;
    yield();
  })));
  EXPECT_TRUE(races(two_change([](Mutex& mutex, int& field) {
    mutex.lock();
    mutex.unlock();
    ++field;
  })));
}

TEST(PlainRaces, AMutexOrders) {
  EXPECT_FALSE(races(two_change([](Mutex& mutex, int& field) {
    mutex.lock();
    ++field;
    mutex.unlock();
  })));
}

TEST(PlainRaces, ASharedMutexOrdersWritersAndNotReaders) {
  const auto body = [](bool writers) {
    return [writers] {
      SharedMutex mutex;
      int field = 0;
      const auto user = [&] {
        writers ? mutex.lock() : mutex.lock_shared();
        ++field;
        writers ? mutex.unlock() : mutex.unlock_shared();
      };
      run_together({{"first", user}, {"second", user}});
    };
  };
  EXPECT_FALSE(races(body(true)));
  EXPECT_TRUE(races(body(false)));
}

std::function<void()> message(std::memory_order store, std::memory_order load) {
  return [=] {
    Atomic<bool> ready{false};
    int field = 0;
    run_together({{"writer",
                   [&] {
                     field = 1;
                     ready.store(true, store);
                   }},
                  {"reader", [&] {
                     if (ready.load(load)) require(field == 1, "it arrives");
                   }}});
  };
}

TEST(PlainRaces, AtomicsOrderAsTheirMemoryOrdersSay) {
  const auto relaxed = std::memory_order_relaxed, acquire = std::memory_order_acquire,
             release = std::memory_order_release;
  EXPECT_FALSE(races(message(release, acquire)));
  EXPECT_FALSE(races(message(release, acquire), {.store_buffer = 1}));
  EXPECT_FALSE(races(message(release, acquire), {.stale_reads = 1}));
  EXPECT_TRUE(races(message(relaxed, acquire)));
  EXPECT_TRUE(races(message(release, relaxed)));
}

TEST(PlainRaces, UpdatesOrder) {
  const auto last_of_two = [](std::memory_order order) {
    return [order] {
      Atomic<int> users{2};
      auto shared = std::make_unique<int>(0);
      const auto user = [&] {
        if (users.fetch_sub(1, order) == 1) shared.reset();
      };
      run_together({{"first",
                     [&] {
                       *shared = 1;
                       user();
                     }},
                    {"second", user}});
    };
  };
  EXPECT_FALSE(races(last_of_two(std::memory_order_acq_rel)));
  EXPECT_TRUE(races(last_of_two(std::memory_order_relaxed)));
}

TEST(PlainRaces, AConditionVariableHandsOver) {
  EXPECT_FALSE(races([] {
    Mutex mutex;
    ConditionVariable changed;
    bool ready = false;
    int field = 0;
    run_together({{"writer",
                   [&] {
                     mutex.lock();
                     field = 1;
                     ready = true;
                     changed.notify_one();
                     mutex.unlock();
                   }},
                  {"reader", [&] {
                     mutex.lock();
                     while (!ready) changed.wait(mutex);
                     mutex.unlock();
                     require(field == 1, "it arrives");
                   }}});
  }));
}

TEST(PlainRaces, StartAndJoinOrder) {
  EXPECT_FALSE(races([] {
    int field = 1;
    Thread thread("other", [&] { ++field; });
    thread.join();
    require(field == 2, "it counts");
  }));
  EXPECT_TRUE(races([] {
    int field = 1;
    Thread thread("other", [&] { ++field; });
    ++field;
    thread.join();
  }));
}

TEST(PlainRaces, SharedPointersCountReferencesInOrder) {
  EXPECT_FALSE(races([] {
    auto shared = std::make_shared<int>(0);
    const auto user = [](std::shared_ptr<int>& mine) {
      yield();
      require(*mine == 0, "it lives");
      mine.reset();
    };
    auto first = shared, second = std::move(shared);
    run_together({{"first", [&] { user(first); }}, {"second", [&] { user(second); }}});
  }));
}

TEST(PlainRaces, WhatIsNotedIsNoData) {
  EXPECT_FALSE(races([] {
    Noted<int> count = 0;
    const auto user = [&] {
      ++count;
      yield();
      count += 1;
    };
    run_together({{"first", user}, {"second", user}});
    require(count == 4, "it counts");
  }));
}

TEST(PlainRaces, ARaceNamesItselfAndReplays) {
  const Scenario scenario{.name = "plain",
                          .group = "test",
                          .threads = 2,
                          .body = two_change([](Mutex&, int& field) { ++field; }),
                          .limits = {},
                          .strategies = {},
                          .claim = ""};
  Explorer explorer;
  const Result found = explorer.explore(scenario, *make_strategy({.name = "walk"}, 1), {.executions = 10});
  ASSERT_EQ(found.failure.kind, FailureKind::kRace);
  EXPECT_NE(found.failure.text.find("ThreadSanitizer"), std::string::npos);
  const Replayed again = Explorer().replay(scenario, found.decisions);
  EXPECT_EQ(again.failure.kind, FailureKind::kRace);
  EXPECT_EQ(again.trace_hash, found.trace_hash);
}

}  // namespace
}  // namespace heddle_check
