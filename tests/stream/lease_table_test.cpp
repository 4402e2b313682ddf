#include "heddle/stream/lease_table.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "heddle/backends/sim/device.hpp"
#include "heddle/stream/lane_table.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle {
namespace {

class LeaseTables : public ::testing::Test {
 protected:
  // A lease of the calling thread, on a lane of its own.
  LeaseSlot& add(std::uint32_t id, bool is_implicit) {
    std::unique_ptr<Queue> queue;
    device_.create_queue(StreamId{id}, &queue).raise();
    lanes_.push_back(std::make_unique<Lane>(StreamId{id}, device_, std::move(queue), Limits{}, WaitPolicy::kBlock));
    auto slot = std::make_shared<LeaseSlot>();
    slot->lane = lanes_.back().get();
    slot->is_implicit = is_implicit;
    slot->thread.store(sync::this_thread_id());
    table_.add(slot);
    return *slot;
  }
  sim::SimDevice device_{{.auto_run = false}};
  std::vector<std::unique_ptr<Lane>> lanes_;
  LeaseTable table_;
};

TEST_F(LeaseTables, OnlyWhatNoOtherThreadMayTakeIsKept) {
  add(1, false);
  LeaseSlot& implicit = add(2, true);
  EXPECT_EQ(table_.kept_by_caller(false), 1u);
  implicit.is_implicit = false;
  EXPECT_EQ(table_.kept_by_caller(false), 2u);
  implicit.left_to_thread = true;
  EXPECT_EQ(table_.kept_by_caller(false), 1u);
  implicit.thread.store(0);
  EXPECT_EQ(table_.kept_by_caller(false), 1u) << "another thread's";
}

TEST_F(LeaseTables, StreamZeroIsKeptThoughItsLeaseIsImplicit) {
  add(MainLane::kId, true);
  EXPECT_EQ(table_.kept_by_caller(true), 1u);
  EXPECT_EQ(table_.kept_by_caller(false), 0u) << "it does not count for other threads";
}

TEST_F(LeaseTables, TheTextNamesStreamsAndThreads) {
  EXPECT_EQ(table_.text(), "");
  add(1, false);
  LeaseSlot& implicit = add(7, true);
  const std::string thread = std::to_string(sync::this_thread_id());
  EXPECT_EQ(table_.text(), "stream 1 by thread " + thread + ", stream 7 by thread " + thread + " (implicit)");
  implicit.lane = nullptr;
  EXPECT_EQ(table_.text(), "stream 1 by thread " + thread);
  table_.remove(implicit);
}

TEST_F(LeaseTables, AClaimKeepsEveryOwnerOutsideUntilItIsWithdrawn) {
  LeaseSlot& first = add(1, false);
  LeaseSlot& second = add(2, true);
  table_.announce_all();
  EXPECT_FALSE(first.gate.try_enter());
  EXPECT_FALSE(second.gate.try_enter());
  for (const auto& slot : table_) slot->gate.withdraw();
  EXPECT_TRUE(first.gate.try_enter());
  first.gate.leave();
}

}  // namespace
}  // namespace heddle
