#include "heddle/sync/reaper.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace heddle::sync {
namespace {

Deadline in_time() { return Deadline::after(std::chrono::seconds(30)); }

class Counted final : public Reapable {
 public:
  explicit Counted(std::atomic<int>& reaped, std::latch* until = nullptr) : reaped_(reaped), until_(until) {}

 private:
  void reap() noexcept override {
    if (until_ != nullptr) until_->wait();
    reaped_.fetch_add(1);
    delete this;
  }
  std::atomic<int>& reaped_;
  std::latch* const until_;
};

TEST(Reaper, WhatIsHandedOverIsReapedOnceAndItsThreadsEnd) {
  std::atomic<int> reaped{0};
  for (int i = 0; i < 100; ++i) Reaper::hand_over(*new Counted(reaped));
  EXPECT_TRUE(Reaper::finish(in_time()));
  EXPECT_EQ(reaped.load(), 100);
}

TEST(Reaper, OneThatTakesLongHoldsNobodyUp) {
  std::atomic<int> stuck{0};
  std::atomic<int> reaped{0};
  std::latch until(1);
  Reaper::hand_over(*new Counted(stuck, &until));
  for (int i = 0; i < 10; ++i) Reaper::hand_over(*new Counted(reaped));
  const Deadline end = in_time();
  while (reaped.load() != 10 && !end.passed()) std::this_thread::yield();
  EXPECT_EQ(reaped.load(), 10);
  EXPECT_FALSE(Reaper::finish(Deadline::at({}))) << "one is left";
  until.count_down();
  EXPECT_TRUE(Reaper::finish(in_time()));
  EXPECT_EQ(stuck.load(), 1);
}

// More objects than the reaper has threads.
TEST(Reaper, FromManyThreadsAtOnce) {
  std::atomic<int> reaped{0};
  std::latch until(1);
  for (int i = 0; i < 20; ++i) Reaper::hand_over(*new Counted(reaped, &until));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) Reaper::hand_over(*new Counted(reaped));
    });
  }
  until.count_down();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(Reaper::finish(in_time()));
  EXPECT_EQ(reaped.load(), 420);
}

class Kept final : public Reapable {
 public:
  explicit Kept(std::latch& until) : until_(until) {}
  std::atomic<int> reaped{0};

 private:
  void reap() noexcept override {
    until_.wait();
    reaped.fetch_add(1);
  }
  std::latch& until_;
};

TEST(Reaper, HoldsItsReferenceUntilItIsDone) {
  std::latch until(1);
  auto object = std::make_shared<Kept>(until);
  const std::weak_ptr<Kept> seen = object;
  Reaper::hand_over(*object, object);
  object.reset();
  EXPECT_FALSE(seen.expired());
  until.count_down();
  EXPECT_TRUE(Reaper::finish(in_time()));
  EXPECT_TRUE(seen.expired());
}

TEST(Reaper, ReapedDeleteDestroysHereWhereWaitingIsAllowed) {
  std::atomic<int> reaped{0};
  struct Member final : Reapable {
    explicit Member(std::atomic<int>& ended) : ended_(ended) {}
    ~Member() override { ended_.fetch_add(std::this_thread::get_id() == here_ ? 1 : 100); }
    void reap() noexcept override { delete this; }
    std::atomic<int>& ended_;
    const std::thread::id here_ = std::this_thread::get_id();
  };
  std::shared_ptr<Member>(new Member(reaped), ReapedDelete{}).reset();
  EXPECT_EQ(reaped.load(), 1);
  {
    const NoWaiting no_waiting("a test");
    std::shared_ptr<Member>(new Member(reaped), ReapedDelete{}).reset();
  }
  EXPECT_TRUE(Reaper::finish(in_time()));
  EXPECT_EQ(reaped.load(), 101) << "the second on a reaper thread";
}

}  // namespace
}  // namespace heddle::sync
