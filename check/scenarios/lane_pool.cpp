#include "heddle/stream/lane_pool.hpp"

#include <memory>

#include "check/scenarios.hpp"
#include "heddle/backends/sim/open.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Two threads share one worker stream: each takes it, has it alone, gives it back.
void two_threads_one_stream() {
  std::unique_ptr<Device> device;
  open_sim({}, &device).raise();
  Limits limits;
  limits.streams = limits.streams_max = 1;
  LanePool pool(std::move(device), limits, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  heddle_check::Cell<int> held(0, "use of the stream");
  const auto user = [&] {
    const auto slot = std::make_shared<LeaseSlot>();
    slot->thread.store(sync::this_thread_id());
    pool.add_slot(slot);
    heddle_check::require(pool.acquire(*slot).value == 1, "the only stream is the one that was given");
    held.change() += 1;
    pool.release(*slot);
    pool.remove_slot(*slot);
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  heddle_check::require(held.get() == 2, "both had it");
  heddle_check::require(pool.lanes() == 1, "no stream was created beyond the limit");
}

}  // namespace

void add_lane_pool(Scenarios& to) {
  to.push_back({.name = "lane_pool",
                .group = "pool",
                .threads = 2,
                .body = two_threads_one_stream,
                .limits = {.timeout_mode = heddle_check::Timeouts::kChoice, .timeouts = 1, .spurious_wakeups = 1},
                .strategies = {{.name = "bounded", .bound = 3}, {.name = "walk", .executions = 20'000}},
                .claim = "a stream has one holder at a time, and a thread that waits for one gets it"});
}

}  // namespace heddle::check
