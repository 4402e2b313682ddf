#include "heddle/stream/lane_table.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "heddle/backends/sim/device.hpp"

namespace heddle {
namespace {

class LaneTables : public ::testing::Test {
 protected:
  std::unique_ptr<Lane> make(std::uint32_t id) {
    std::unique_ptr<Queue> queue;
    device_.create_queue(StreamId{id}, &queue).raise();
    return std::make_unique<Lane>(StreamId{id}, device_, std::move(queue), Limits{}, WaitPolicy::kBlock);
  }
  // One more worker lane, free.
  Lane& add() {
    const std::uint32_t id = table_.add_worker();
    table_.place(id).fill(make(id));
    table_.place(id).set_free();
    return *table_.place(id).lane();
  }
  // Leaves a list of the lane running.
  void submit(Lane& lane) {
    lane.append(KernelId::kFill, FillArgs{nullptr, 0, 0});
    lane.commit();
  }
  sim::SimDevice device_{{.auto_run = false}};
  LaneTable table_;
};

TEST_F(LaneTables, WorkersAreNumberedFromOne) {
  EXPECT_EQ(table_.places(), 1u) << "stream 0 has its place from the start";
  EXPECT_EQ(table_.add_worker(), 1u);
  EXPECT_EQ(table_.add_worker(), 2u);
  EXPECT_EQ(table_.workers(), 2u);
  EXPECT_EQ(table_.places(), 3u);
}

TEST_F(LaneTables, TheLowestFreeLaneIsTakenOnce) {
  Lane& first = add();
  Lane& second = add();
  EXPECT_EQ(table_.take_lowest(), &first);
  EXPECT_EQ(table_.take_lowest(), &second);
  EXPECT_EQ(table_.take_lowest(), nullptr);
  table_.place(first).set_free();
  EXPECT_TRUE(table_.any_worker_free());
  EXPECT_EQ(table_.take_lowest(), &first);
}

TEST_F(LaneTables, ALaneThatStillRunsIsPassedOver) {
  Lane& running = add();
  Lane& idle = add();
  submit(running);
  EXPECT_EQ(table_.take_lowest(), &idle);
  EXPECT_EQ(table_.take_lowest(), nullptr);
  EXPECT_TRUE(table_.any_worker_free()) << "it will be";
  while (device_.step()) {
  }
  EXPECT_EQ(table_.take_lowest(), &running);
}

TEST_F(LaneTables, AnIdThatTheDeviceRefusedIsTriedAgain) {
  const std::uint32_t id = table_.add_worker();
  table_.refuse(id);
  EXPECT_TRUE(table_.any_refused());
  EXPECT_EQ(table_.take_refused_id(), id);
  EXPECT_FALSE(table_.any_refused());
  EXPECT_EQ(table_.take_refused_id(), std::nullopt);
  table_.refuse(MainLane::kId);
  EXPECT_FALSE(table_.any_refused()) << "stream 0 is the main thread's alone, whoever tries again";
}

TEST_F(LaneTables, StreamZeroIsNoWorkersLane) {
  table_.main().fill(make(MainLane::kId));
  table_.main().set_free();
  EXPECT_EQ(table_.take_lowest(), nullptr);
  EXPECT_FALSE(table_.any_worker_free());
  EXPECT_TRUE(MainLane::is(*table_.main().lane()));
  EXPECT_NE(table_.main().take(), nullptr);
}

TEST_F(LaneTables, VisitsAndCountsTheLanesThatExist) {
  table_.main().fill(make(MainLane::kId));
  Lane& lane = add();
  table_.add_worker();  // its lane is being created
  std::set<std::uint32_t> ids;
  table_.visit([&](Lane& visited) { ids.insert(visited.id().value); });
  EXPECT_EQ(ids, (std::set<std::uint32_t>{0, 1}));
  EXPECT_FALSE(table_.has_work());
  submit(lane);
  EXPECT_TRUE(table_.has_work());
  EXPECT_EQ(table_.totals().abandoned, 1u);
  while (device_.step()) {
  }
  EXPECT_EQ(table_.totals().completed, 1u);
  EXPECT_EQ(table_.totals().abandoned, 0u);
  EXPECT_FALSE(table_.has_work());
}

}  // namespace
}  // namespace heddle
