// How other threads may use a thread's stream: end its lease, or touch its data while the owner is outside.
#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr int kOperations = 2;

// A lease from a pool on the simulated device, and data that only the party inside its gate may touch.
struct OneLease {
  OneLease() {
    pool.add_slot(slot);
    pool.acquire(*slot);
  }

  // Records as a thread does: an operation that meets a claim waits for it, and then checks whether it still has the
  // stream.
  void record() {
    for (int i = 0; i < kOperations; ++i) {
      while (!slot->gate.try_enter()) pool.wait_for_claim();
      if (slot->lane != nullptr) {
        slot->lane->append(KernelId::kFill, FillArgs{&cell, 1, 0});
        guarded.change() += 1;
        ++recorded;
      }
      slot->gate.leave();
    }
  }

  LanePool pool{simulated_device(), {}, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait};
  std::shared_ptr<LeaseSlot> slot = std::make_shared<LeaseSlot>();
  heddle_check::Cell<int> guarded{0, "leased data"};
  std::uint64_t recorded = 0;
  float cell = 0;
};

void lease_that_another_thread_ends() {
  OneLease lease;
  heddle_check::run_together(
      {{"recorder", [&] { lease.record(); }}, {"ender", [&] {
                                                 heddle_check::require(lease.pool.release_from_outside(*lease.slot),
                                                                       "a thread outside its stream may wait");
                                                 lease.guarded.change() += 1;
                                               }}});
  heddle_check::require(lease.slot->lane == nullptr && lease.slot->ended.load(), "the lease is over");
  heddle_check::require(lease.pool.close(sync::Deadline::never()), "everything was done");
  heddle_check::require(lease.pool.totals().completed == lease.recorded, "everything recorded is done");
}

void lane_that_is_visited() {
  OneLease lease;
  int visits = 0;
  heddle_check::run_together({{"recorder", [&] { lease.record(); }}, {"visitor", [&] {
                                                                        lease.pool.visit_idle([&](Lane&) {
                                                                          lease.guarded.change() += 1;
                                                                          ++visits;
                                                                        });
                                                                      }}});
  heddle_check::require(lease.recorded == kOperations, "a visit does not revoke the stream");
  heddle_check::require(lease.guarded.get() == kOperations + visits && visits <= 1, "a lane is visited at most once");
  heddle_check::require(lease.pool.close(sync::Deadline::never()), "everything was done");
}

}  // namespace

void add_lane_claims(Scenarios& to) {
  to.push_back(
      {.name = "lease_from_outside",
       .group = "pool",
       .threads = 2,
       .body = lease_that_another_thread_ends,
       .limits = {},
       .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
       .claim = "a lease that another thread ends ends once, between operations, and its recorded work is done"});
  to.push_back({.name = "visit_idle",
                .group = "memory",
                .threads = 2,
                .body = lane_that_is_visited,
                .limits = {.stale_reads = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 10'000}},
                .claim = "other threads touch a holder's data only between its operations"});
}

}  // namespace heddle::check
