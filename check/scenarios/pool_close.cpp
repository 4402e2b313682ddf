#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// A pool of one stream closes while a thread records on it, and another waits for it.
void close_against_a_recorder_and_a_waiter() {
  Limits limits;
  limits.streams = limits.streams_max = 1;
  LanePool pool(simulated_device(), limits, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  std::uint64_t recorded = 0;
  bool complete = false;
  float cell = 0;
  const auto user = [&](bool records) {
    const auto slot = std::make_shared<LeaseSlot>();
    slot->thread.store(sync::this_thread_id());
    pool.add_slot(slot);
    try {
      pool.acquire(*slot);
      if (records && slot->gate.try_enter()) {
        if (slot->lane != nullptr) {
          heddle_check::require(!complete, "nobody records once the pool is closed");
          slot->lane->append(KernelId::kFill, FillArgs{&cell, 1, 0});
          ++recorded;
        }
        slot->gate.leave();
      }
      pool.release(*slot);
    } catch (const Closed&) {  // as the contract says
    }
    pool.remove_slot(*slot);
  };
  // An idle stream is handed to the waiter at once; one that was recorded on, when it is done.
  const bool holder_records = heddle_check::choose(heddle_check::ChoiceKind::kCustom, 2) == 0;
  heddle_check::run_together({{"holder", [&] { user(holder_records); }},
                              {"waiter", [&] { user(true); }},
                              {"closer", [&] { complete = pool.close(sync::Deadline::never()); }}});
  heddle_check::require(complete, "a close without a deadline leaves nothing");
  const LaneTotals totals = pool.totals();
  heddle_check::require(totals.completed == recorded && totals.abandoned == 0, "all that was recorded is done");
  pool.stop_handlers(sync::Deadline::never());
}

}  // namespace

void add_pool_close(Scenarios& to) {
  to.push_back({.name = "pool_close",
                .group = "shutdown",
                .threads = 3,
                .body = close_against_a_recorder_and_a_waiter,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a pool that closes completes what was recorded, and leaves no thread waiting"});
}

}  // namespace heddle::check
