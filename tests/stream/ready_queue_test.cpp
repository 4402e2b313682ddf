// The order of queues that become ready, and that none is lost or doubled between threads.
#include "heddle/stream/ready_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "heddle/backends/sim/device.hpp"

namespace heddle {
namespace {

class ReadyQueueTest : public testing::Test {
 protected:
  ReadyQueueTest() {
    EXPECT_TRUE(device_.create_queue(StreamId{1}, &queue_).ok());
    for (std::unique_ptr<HandlerQueue>& queue : lines_) queue = std::make_unique<HandlerQueue>(*queue_);
  }
  HandlerQueue& queue(std::size_t index) { return *lines_[index]; }
  std::size_t index_of(const HandlerQueue* queue) const {
    std::size_t index = 0;
    while (index < lines_.size() && lines_[index].get() != queue) ++index;
    return index;
  }

  sim::SimDevice device_{{.auto_run = false}};
  std::unique_ptr<Queue> queue_;
  std::array<std::unique_ptr<HandlerQueue>, 64> lines_;
  ReadyQueue ready_;
};

TEST_F(ReadyQueueTest, ComeInTheOrderInWhichTheyWerePushed) {
  EXPECT_TRUE(ready_.empty());
  EXPECT_EQ(ready_.take(), nullptr);
  for (std::size_t i = 0; i < 3; ++i) ready_.push(queue(i));
  EXPECT_FALSE(ready_.none_new());
  EXPECT_EQ(ready_.take(), &queue(0));
  EXPECT_TRUE(ready_.none_new());
  ready_.push(queue(3));  // behind those that were turned round already
  EXPECT_EQ(ready_.take(), &queue(1));
  EXPECT_EQ(ready_.take(), &queue(2));
  EXPECT_FALSE(ready_.empty());
  EXPECT_EQ(ready_.take(), &queue(3));
  EXPECT_TRUE(ready_.empty());
}

TEST_F(ReadyQueueTest, ALineThatWasTakenMayComeAgain) {
  for (int round = 0; round < 3; ++round) {
    ready_.push(queue(0));
    ready_.push(queue(1));
    EXPECT_EQ(ready_.take(), &queue(0));
    ready_.push(queue(0));
    EXPECT_EQ(ready_.take(), &queue(1));
    EXPECT_EQ(ready_.take(), &queue(0));
    EXPECT_EQ(ready_.take(), nullptr);
  }
}

TEST_F(ReadyQueueTest, EachOfWhatManyThreadsPushIsTakenOnceAndEachThreadsInItsOrder) {
  constexpr std::size_t kThreads = 4, kEach = 16;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (std::size_t i = 0; i < kEach; ++i) ready_.push(queue(thread * kEach + i));
    });
  }
  std::array<std::size_t, kThreads> next{};
  for (std::size_t taken = 0; taken < kThreads * kEach;) {
    const HandlerQueue* const queue = ready_.take();
    if (queue == nullptr) {
      std::this_thread::yield();
      continue;
    }
    const std::size_t index = index_of(queue);
    ASSERT_LT(index, lines_.size());
    EXPECT_EQ(index % kEach, next[index / kEach]++);
    ++taken;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(ready_.empty());
  for (const std::size_t taken : next) EXPECT_EQ(taken, kEach);
}

}  // namespace
}  // namespace heddle
