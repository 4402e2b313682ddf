// The order of lines that become ready, and that none is lost or doubled between threads.
#include "heddle/stream/ready_lines.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "heddle/backends/sim/device.hpp"

namespace heddle {
namespace {

class ReadyLinesTest : public testing::Test {
 protected:
  ReadyLinesTest() {
    EXPECT_TRUE(device_.create_queue(StreamId{1}, &queue_).ok());
    for (std::unique_ptr<CompletionLine>& line : lines_) line = std::make_unique<CompletionLine>(*queue_);
  }
  CompletionLine& line(std::size_t index) { return *lines_[index]; }
  std::size_t index_of(const CompletionLine* line) const {
    std::size_t index = 0;
    while (index < lines_.size() && lines_[index].get() != line) ++index;
    return index;
  }

  sim::SimDevice device_{{.auto_run = false}};
  std::unique_ptr<Queue> queue_;
  std::array<std::unique_ptr<CompletionLine>, 64> lines_;
  ReadyLines ready_;
};

TEST_F(ReadyLinesTest, ComeInTheOrderInWhichTheyWerePushed) {
  EXPECT_TRUE(ready_.empty());
  EXPECT_EQ(ready_.take(), nullptr);
  for (std::size_t i = 0; i < 3; ++i) ready_.push(line(i));
  EXPECT_FALSE(ready_.none_new());
  EXPECT_EQ(ready_.take(), &line(0));
  EXPECT_TRUE(ready_.none_new());
  ready_.push(line(3));  // behind those that were turned round already
  EXPECT_EQ(ready_.take(), &line(1));
  EXPECT_EQ(ready_.take(), &line(2));
  EXPECT_FALSE(ready_.empty());
  EXPECT_EQ(ready_.take(), &line(3));
  EXPECT_TRUE(ready_.empty());
}

TEST_F(ReadyLinesTest, ALineThatWasTakenMayComeAgain) {
  for (int round = 0; round < 3; ++round) {
    ready_.push(line(0));
    ready_.push(line(1));
    EXPECT_EQ(ready_.take(), &line(0));
    ready_.push(line(0));
    EXPECT_EQ(ready_.take(), &line(1));
    EXPECT_EQ(ready_.take(), &line(0));
    EXPECT_EQ(ready_.take(), nullptr);
  }
}

TEST_F(ReadyLinesTest, EachOfWhatManyThreadsPushIsTakenOnceAndEachThreadsInItsOrder) {
  constexpr std::size_t kThreads = 4, kEach = 16;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (std::size_t i = 0; i < kEach; ++i) ready_.push(line(thread * kEach + i));
    });
  }
  std::array<std::size_t, kThreads> next{};
  for (std::size_t taken = 0; taken < kThreads * kEach;) {
    const CompletionLine* const line = ready_.take();
    if (line == nullptr) {
      std::this_thread::yield();
      continue;
    }
    const std::size_t index = index_of(line);
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
