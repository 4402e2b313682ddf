#include "heddle/stream/waiter_queue.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace heddle {
namespace {

// Nothing is done with it but to compare it.
Lane* lane(std::uintptr_t number) { return std::bit_cast<Lane*>(64 * number); }

TEST(WaiterQueue, ServesInTheOrderOfArrival) {
  WaiterQueue queue;
  LaneWaiter first, second, third;
  for (LaneWaiter* waiter : {&first, &second, &third}) queue.join(*waiter);
  EXPECT_TRUE(queue.is_first(first));
  queue.hand_over(lane(1));
  EXPECT_EQ(first.lane, lane(1));
  EXPECT_TRUE(queue.is_first(second));
  queue.hand_over(lane(2));
  queue.hand_over(lane(3));
  EXPECT_EQ(second.lane, lane(2));
  EXPECT_EQ(third.lane, lane(3));
  EXPECT_TRUE(queue.empty());
}

TEST(WaiterQueue, AWaiterThatLeavesIsNotServed) {
  WaiterQueue queue;
  LaneWaiter first, second;
  queue.join(first);
  queue.join(second);
  queue.leave(first);
  EXPECT_TRUE(queue.is_first(second));
  queue.hand_over(lane(1));
  EXPECT_EQ(first.lane, nullptr);
  EXPECT_EQ(second.lane, lane(1));
}

TEST(WaiterQueue, CountsAWaiterUntilItLeaves) {
  WaiterQueue queue;
  LaneWaiter waiter;
  EXPECT_FALSE(queue.any());
  queue.join(waiter);
  EXPECT_EQ(queue.size(), 1u);
  queue.hand_over(lane(1));
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.any()) << "served, and not awake yet";
  queue.leave(waiter);
  EXPECT_FALSE(queue.any());
}

TEST(WaiterQueue, NobodyIsFirstInAnEmptyQueue) {
  WaiterQueue queue;
  const LaneWaiter waiter;
  EXPECT_FALSE(queue.is_first(waiter));
  queue.wake_first();
  queue.wake_all();
}

}  // namespace
}  // namespace heddle
