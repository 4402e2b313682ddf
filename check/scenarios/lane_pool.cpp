#include "heddle/stream/lane_pool.hpp"

#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Two threads share one worker stream: each takes it, uses it alone, and returns it.
void two_threads_one_stream() {
  PoolLimits limits;
  limits.streams = limits.streams_max = 1;
  LanePool pool(simulated_device(), limits, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  heddle_check::Cell<int> held(0, "use of the stream");
  const auto user = [&] {
    const auto slot = std::make_shared<LeaseSlot>();
    slot->thread.store(sync::this_thread_id());
    pool.add_slot(slot);
    heddle_check::require(pool.acquire(*slot).value == 1, "the thread gets the only stream");
    held.change() += 1;
    pool.release(*slot);
    pool.remove_slot(*slot);
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  heddle_check::require(held.get() == 2, "both had it");
  heddle_check::require(pool.lanes() == 1, "no stream was created beyond the limit");
}

// Three threads take the only stream and return it.
void three_threads_one_stream() {
  PoolLimits limits;
  limits.streams = 1;
  LanePool pool(simulated_device(), limits, WaitPolicy::kBlock, ExhaustionPolicy::kWait);
  const auto of_main = std::make_shared<LeaseSlot>();
  pool.acquire(*of_main);  // the main thread's stream
  heddle_check::Cell<int> held(0, "use of the stream");
  heddle_check::Noted<int> timed_out = 0;
  const auto user = [&] {
    const auto slot = std::make_shared<LeaseSlot>();
    try {
      pool.acquire(*slot);
      held.change() += 1;
      pool.release(*slot);
    } catch (const PoolExhausted&) {  // a waiter's own deadline passed
      ++timed_out;
    }
  };
  heddle_check::run_together({{"first", user}, {"second", user}, {"third", user}});
  heddle_check::require(held.get() + timed_out == 3 && timed_out <= 2 && pool.lanes() == 2,
                        "each had the only stream, or waited until its deadline");
}

// A thread waits for the only stream; another arrives later, when the holder may be returning it.
void a_waiter_and_a_newcomer() {
  PoolLimits limits;
  limits.streams = 1;
  LanePool pool(simulated_device(), limits, WaitPolicy::kBlock, ExhaustionPolicy::kWait);
  const auto of_main = std::make_shared<LeaseSlot>(), held = std::make_shared<LeaseSlot>();
  pool.acquire(*of_main);  // the main thread's stream
  pool.acquire(*held);
  heddle_check::Noted<int> served = 0;
  heddle_check::Cell<int> use(0, "use of the stream");
  const auto user = [&](int turn) {
    const auto slot = std::make_shared<LeaseSlot>();
    pool.acquire(*slot);
    heddle_check::require(served++ == turn, "the first to wait is served first");
    use.change() += 1;
    pool.release(*slot);
  };
  heddle_check::run_together(
      {{"holder", [&] { pool.release(*held); }}, {"waiter", [&] { user(0); }}, {"newcomer", [&] {
                                                                                  while (!pool.wanted() && served == 0)
                                                                                    sync::yield();
                                                                                  user(1);
                                                                                }}});
  heddle_check::require(served == 2 && pool.lanes() == 2, "each had the only stream");
}

// The device refuses one of two threads the only stream; the other, which may be waiting for it, gets it.
void a_refused_stream() {
  auto device = std::make_unique<sim::SimDevice>(SimOptions{});
  device->fail_queue({ErrorKind::kOutOfMemory, "no queue today"});
  PoolLimits limits;
  limits.streams = limits.streams_max = 1;
  LanePool pool(std::move(device), limits, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  heddle_check::Noted<int> served = 0, refused = 0;
  const auto user = [&] {
    const auto slot = std::make_shared<LeaseSlot>();
    try {
      pool.acquire(*slot);
    } catch (const OutOfMemory&) {
      ++refused;
      return;
    }
    ++served;
    pool.release(*slot);
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  heddle_check::require(served == 1 && refused == 1, "one was refused, the other was served");
}

// Host memory runs out while one of two threads creates the only stream of a device that does not announce progress, so
// that a poller watches it; the thread tries again.
void a_stream_without_memory() {
  PoolLimits limits;
  limits.streams = limits.streams_max = 1;
  limits.spin_max = std::chrono::microseconds(0);
  LanePool pool(std::make_unique<sim::SimDevice>(SimOptions{.announces = false}), limits, WaitPolicy::kBlock,
                ExhaustionPolicy::kGrowThenWait);
  float cell = 0;
  const auto user = [&] {
    const auto slot = std::make_shared<LeaseSlot>();
    with_memory([&] { pool.acquire(*slot); });
    slot->lane->append(KernelId::kFill, FillArgs{&cell, 1, 0});
    with_memory([&] { slot->lane->synchronize(); });
    pool.release(*slot);
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  heddle_check::require(pool.lanes() == 1 && pool.close(sync::Deadline::never()), "on one stream");
  heddle_check::require(pool.totals().completed == 2, "the work of both threads is done");
}

}  // namespace

void add_lane_pool(Scenarios& to) {
  to.push_back({.name = "lane_pool",
                .group = "pool",
                .threads = 2,
                .body = two_threads_one_stream,
                .limits = all_choices(),
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 20'000}},
                .claim = "a stream has one holder at a time, and a thread that waits for one gets it"});
  to.push_back({.name = "lane_pool_3x2",
                .group = "pool",
                .threads = 3,
                .body = three_threads_one_stream,
                .limits = all_choices(),
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the same with three threads"});
  to.push_back({.name = "pool_hand_over",
                .group = "pool",
                .threads = 3,
                .body = a_waiter_and_a_newcomer,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a returned stream goes to the longest waiter, not to a later arrival"});
  to.push_back({.name = "refused_stream",
                .group = "pool",
                .threads = 2,
                .body = a_refused_stream,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "after the device refuses a stream, a waiting thread can still get one"});
  to.push_back(
      {.name = "stream_without_memory",
       .group = "pool",
       .threads = 3,
       .body = a_stream_without_memory,
       .limits = {.host_memory_failures = 1, .masked_wakeups = false},
       .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
       .claim = "running out of host memory while creating a stream leaves no watch on it and loses no stream"});
}

}  // namespace heddle::check
