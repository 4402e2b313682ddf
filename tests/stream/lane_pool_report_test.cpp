// What a pool says about itself: who holds which stream, and what became of the commands.
#include <gtest/gtest.h>

#include <string>

#include "heddle/stream/lane_pool.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

TEST(LanePoolReport, NamesHoldersByStreamAndThread) {
  SimCore sim;
  const Lease lease = sim.lease();
  const std::string thread = std::to_string(sync::this_thread_id());
  EXPECT_TRUE(contains(sim.pool()->holders(), "stream " + std::to_string(lease.id().value) + " by thread " + thread))
      << sim.pool()->holders();
  EXPECT_EQ(sim.pool()->busy(), "") << "nothing was given up";
}

TEST(LanePoolReport, CountsCommandsAsCompletedFailedOrNotYet) {
  SimCore sim;
  Lease lease = sim.lease();
  sim.device().fail_execution(lease.id(), Ticket{2}, {ErrorKind::kDeviceError, "boom"});
  for (int i = 0; i < 4; ++i) sim.submit();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sim.device().step());
  const LaneTotals totals = sim.pool()->totals();
  EXPECT_EQ(totals.completed, 3u);
  EXPECT_EQ(totals.failed, 2u) << "the one that failed, and the one that was skipped";
  EXPECT_EQ(totals.abandoned, 1u);
}

}  // namespace
}  // namespace heddle
