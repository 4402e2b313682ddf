#include <memory>
#include <new>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// A pool with one stream closes while a thread records on it and another waits for it.
void close_against_a_recorder_and_a_waiter() {
  PoolLimits limits;
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
          heddle_check::require(!complete, "no thread records once the pool is closed");
          slot->lane->append(KernelId::kFill, FillArgs{&cell, 1, 0});
          ++recorded;
        }
        slot->gate.leave();
      }
      pool.release(*slot);
    } catch (const Closed&) {  // per contract
    }
    pool.remove_slot(*slot);
  };
  // An idle stream is handed to the waiter immediately; one with recorded work, when that is done.
  const bool holder_records = heddle_check::choose(heddle_check::ChoiceKind::kCustom, 2) == 0;
  heddle_check::run_together({{"holder", [&] { user(holder_records); }},
                              {"waiter", [&] { user(true); }},
                              {"closer", [&] { complete = pool.close(sync::Deadline::never()); }}});
  heddle_check::require(complete, "a close without a deadline completes everything");
  const LaneTotals totals = pool.totals();
  heddle_check::require(totals.completed == recorded && totals.abandoned == 0, "everything recorded is done");
  pool.stop_handlers(sync::Deadline::never());
}

// The handshake alone: a thread takes the only stream and returns it, while the pool closes.
void close_against_one_holder() {
  PoolLimits limits;
  limits.streams = limits.streams_max = 1;
  LanePool pool(simulated_device(), limits, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  const auto slot = std::make_shared<LeaseSlot>();
  bool complete = false;
  heddle_check::run_together({{"holder",
                               [&] {
                                 try {
                                   pool.acquire(*slot);
                                   pool.release(*slot);
                                 } catch (const Closed&) {  // per contract
                                 }
                               }},
                              {"closer", [&] { complete = pool.close(sync::Deadline::never()); }}});
  heddle_check::require(complete, "a close without a deadline completes everything");
  pool.stop_handlers(sync::Deadline::never());
}

// A pool with one worker stream, which `held` has; stream 0 is the main thread's.
struct HeldPool {
  HeldPool() {
    pool.acquire(*of_main);
    held->thread.store(1);
    pool.add_slot(held);
    pool.acquire(*held);
  }
  static PoolLimits one_stream() {
    PoolLimits limits;
    limits.streams = 1;
    return limits;
  }
  // True if a command was recorded with `slot`: not if its stream was taken from it, or is being taken.
  bool record(LeaseSlot& slot) {
    if (!slot.gate.try_enter()) return false;
    const bool has = slot.lane != nullptr;
    if (has) slot.lane->append(KernelId::kFill, FillArgs{&cell, 1, 0});
    slot.gate.leave();
    return has;
  }

  // Work left by an incomplete close is done before the pool is destroyed.
  ~HeldPool() {
    while (device->step()) {
    }
  }

  void require_told(bool complete, std::uint64_t recorded) {
    if (!complete) pool.abandon();
    const LaneTotals totals = pool.totals();
    heddle_check::require(totals.completed + totals.abandoned == recorded,
                          "recorded work is done or reported as abandoned");
    heddle_check::require(!complete || totals.abandoned == 0, "the result of a close is right");
    heddle_check::require(pool.stop_handlers(sync::Deadline::never()), "no handler is left");
  }

  const std::shared_ptr<sim::SimDevice> device = std::make_shared<sim::SimDevice>(SimOptions{});
  LanePool pool{device, one_stream(), WaitPolicy::kBlock, ExhaustionPolicy::kWait};
  const std::shared_ptr<LeaseSlot> of_main = std::make_shared<LeaseSlot>(), held = std::make_shared<LeaseSlot>();
  // An idle stream is handed to a waiter immediately; one with recorded work, when that is done.
  const bool holder_records = heddle_check::choose(heddle_check::ChoiceKind::kCustom, 2) == 0;
  float cell = 0;
};

// True if `slot` got a stream.
bool acquires(LanePool& pool, LeaseSlot& slot) {
  try {
    pool.acquire(slot);
    return true;
  } catch (const Closed&) {         // per contract
  } catch (const PoolExhausted&) {  // its own deadline passed
  }
  return false;
}

// The holder of the only stream may record, returns it and closes the pool, while another thread waits for the stream,
// uses it and leaves.
void close_against_a_waiter() {
  HeldPool of;
  heddle_check::Noted<std::uint64_t> recorded = 0;
  bool complete = false;
  heddle_check::run_together({{"waiter",
                               [&] {
                                 const auto slot = std::make_shared<LeaseSlot>();
                                 of.pool.add_slot(slot);
                                 if (acquires(of.pool, *slot)) recorded += of.record(*slot) ? 1 : 0;
                                 of.pool.release(*slot);
                                 of.pool.remove_slot(*slot);
                               }},
                              {"closer", [&] {
                                 if (of.holder_records) recorded += of.record(*of.held) ? 1 : 0;
                                 of.pool.release(*of.held);
                                 complete = of.pool.close(sync::Deadline::after(kSoon));
                               }}});
  of.require_told(complete, recorded);
}

// One thread may record and returns the only stream, another waits for it and returns it, a third closes the pool.
void close_against_a_holder_and_a_waiter() {
  HeldPool of;
  const auto slot = std::make_shared<LeaseSlot>();
  of.pool.add_slot(slot);
  bool complete = false;
  heddle_check::Noted<std::uint64_t> recorded = 0;
  heddle_check::run_together({{"holder",
                               [&] {
                                 if (of.holder_records) recorded += of.record(*of.held) ? 1 : 0;
                                 of.pool.release(*of.held);
                               }},
                              {"waiter",
                               [&] {
                                 if (acquires(of.pool, *slot)) of.pool.release(*slot);
                               }},
                              {"closer", [&] { complete = of.pool.close(sync::Deadline::after(kSoon)); }}});
  of.require_told(complete, recorded);
}

// Threads record and exit while the pool closes, and the host has no memory for one of their lists or streams.
void thread_exit_without_memory() {
  PoolLimits limits;
  limits.streams = limits.streams_max = 2;
  const auto pool =
      std::make_shared<LanePool>(simulated_device(), limits, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  heddle_check::Noted<std::uint64_t> recorded = 0;
  bool complete = false;
  float cell = 0;
  const auto user = [&] {
    try {
      Recording recording(pool);
      recording.lane().append(KernelId::kFill, FillArgs{&cell, 1, 0});
      ++recorded;
    } catch (const Closed&) {  // per contract
    } catch (const std::bad_alloc&) {
    }
  };
  heddle_check::run_together(
      {{"first", user}, {"second", user}, {"closer", [&] { complete = pool->close(sync::Deadline::never()); }}});
  const LaneTotals totals = pool->totals();
  heddle_check::require(totals.completed + totals.abandoned == recorded,
                        "recorded work is done or reported as abandoned");
  heddle_check::require(complete == (totals.abandoned == 0), "the result of a close is right");
  pool->stop_handlers(sync::Deadline::never());
}

// The device announces the last list late: the thread that waited for it has closed the pool by then, and destroys it.
void late_announcement() {
  const auto device = std::make_shared<sim::SimDevice>(SimOptions{.auto_run = false});
  auto pool = std::make_unique<LanePool>(device, PoolLimits{}, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  float cell = 0;
  heddle_check::run_together({{"owner",
                               [&] {
                                 const auto slot = std::make_shared<LeaseSlot>();
                                 pool->add_slot(slot);
                                 pool->acquire(*slot);
                                 slot->lane->append(KernelId::kFill, FillArgs{&cell, 1, 0x3F800000});  // 1.0
                                 heddle_check::require(pool->close(sync::Deadline::never()), "everything was done");
                                 heddle_check::require(cell == 1.0f, "the list is done");
                                 pool->stop_handlers(sync::Deadline::never());
                                 pool.reset();
                               }},
                              {"device", [&] {
                                 while (!device->step()) sync::yield();
                               }}});
}

}  // namespace

void add_pool_close(Scenarios& to) {
  to.push_back({.name = "pool_close",
                .group = "shutdown",
                .threads = 3,
                .body = close_against_a_recorder_and_a_waiter,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a closing pool completes all recorded work and leaves no thread waiting"});
  to.push_back({.name = "close_handshake",
                .group = "shutdown",
                .threads = 2,
                .body = close_against_one_holder,
                .limits = {.timeout_mode = heddle_check::Timeouts::kChoice, .timeouts = 1, .spurious_wakeups = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 10'000}},
                .claim = "a close and the holder of the stream notice each other, in either order"});
  to.push_back({.name = "thread_exit_without_memory",
                .group = "shutdown",
                .threads = 3,
                .body = thread_exit_without_memory,
                .limits = {.host_memory_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a thread's recorded work is not lost if the host has no memory to commit it at thread exit"});
  to.push_back({.name = "late_announcement",
                .group = "shutdown",
                .threads = 2,
                .body = late_announcement,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a late announcement by the device finds its listener alive"});
  to.push_back({.name = "close_2x4",
                .group = "shutdown",
                .threads = 2,
                .body = close_against_a_waiter,
                .limits = all_choices(),
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 10'000}},
                .claim = "a pool that closes with a deadline leaves no thread waiting and reports all lost work"});
  to.push_back({.name = "close_3x2",
                .group = "shutdown",
                .threads = 3,
                .body = close_against_a_holder_and_a_waiter,
                .limits = all_choices(),
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the same with a thread that returns its stream, one that waits for it, and one that closes"});
}

}  // namespace heddle::check
