// A pool's policies when no stream is free: it fails, revokes the stream of an idle thread, or waits for the stream of
// a thread that ended.
#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

PoolLimits one_stream() {
  PoolLimits limits;
  limits.streams = limits.streams_max = 1;
  // on the virtual clock: a thread that waits longer is not served
  limits.lease_wait_max = std::chrono::milliseconds(10);
  return limits;
}

// A thread returns the only stream with a list that the device has yet to run, while another requests one.
void pool_that_fails() {
  auto opened = std::make_unique<sim::SimDevice>(SimOptions{.auto_run = false});
  sim::SimDevice& device = *opened;
  LanePool pool(std::move(opened), one_stream(), WaitPolicy::kBlock, ExhaustionPolicy::kFail);
  const auto of_main = std::make_shared<LeaseSlot>(), held = std::make_shared<LeaseSlot>();
  pool.acquire(*of_main);  // the main thread's stream
  pool.acquire(*held);
  float cell = 0;
  held->lane->append(KernelId::kFill, FillArgs{&cell, 1, 0x3F800000});  // 1.0
  sync::Atomic<bool> given_back{false};
  heddle_check::run_together({{"holder",
                               [&] {
                                 pool.release(*held);
                                 given_back.store(true);
                               }},
                              {"asker",
                               [&] {
                                 const bool is_back = given_back.load();
                                 LeaseSlot slot;
                                 try {
                                   pool.acquire(slot);
                                 } catch (const PoolExhausted&) {
                                   heddle_check::require(!is_back, "the pool waits for a returned stream");
                                   return;
                                 }
                                 heddle_check::require(slot.lane->idle() && cell == 1.0f,
                                                       "a stream is idle when handed out");
                                 pool.release(slot);
                               }},
                              {"device", [&] {
                                 while (!device.step()) sync::yield();
                               }}});
  LeaseSlot last;
  heddle_check::require(pool.acquire(last).value == 1 && pool.lanes() == 2,
                        "the stream is available to the next thread");
  pool.release(last);
}

// Two threads without explicit leases share the only stream: the waiting one revokes it from the other, which may be
// coming back to record at that moment.
void owner_that_returns_during_a_revocation() {
  const auto pool =
      std::make_shared<LanePool>(simulated_device(), one_stream(), WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  heddle_check::Cell<int> recorded(0, "stream data");
  constexpr int kOperations = 2;
  const auto user = [&] {
    for (int i = 0; i < kOperations; ++i) {
      Recording recording(pool);
      heddle_check::require(recording.lane().id().value == 1, "on the only stream");
      recorded.change() += 1;
    }
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  heddle_check::require(recorded.get() == 2 * kOperations, "each thread had the stream for each of its operations");
  heddle_check::require(pool->lanes() == 1, "no stream was created beyond the limit");
}

// Runs each list when it is committed.
class RunsCommitted final : public CommitListener {
 public:
  void on_commit() noexcept override {
    sync::MutexLock lock(mutex_);
    ++lists_;
    committed_.notify_all();
  }
  void run_next(sim::SimDevice& device) {
    {
      sync::MutexLock lock(mutex_);
      while (lists_ == 0) committed_.wait(mutex_);
      --lists_;
    }
    heddle_check::require(device.step(), "a list is due");
  }

 private:
  sync::Mutex mutex_{Rank::kLeaf};
  sync::ConditionVariable committed_;
  int lists_ HEDDLE_GUARDED_BY(mutex_) = 0;
};

// Threads come and go, each with one command that it leaves uncommitted, and the device runs them.
void streams_of_ended_threads() {
  auto opened = std::make_unique<sim::SimDevice>(SimOptions{.auto_run = false});
  sim::SimDevice& device = *opened;
  RunsCommitted lists;
  const auto pool =
      std::make_shared<LanePool>(std::move(opened), one_stream(), WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  pool->set_commit_listener(&lists);
  constexpr std::uint64_t kThreads = 2;
  float cell = 0;
  const auto visitor = [&] { Recording(pool).lane().append(KernelId::kFill, FillArgs{&cell, 1, 0}); };
  heddle_check::run_together({{"first", visitor}, {"second", visitor}, {"device", [&] {
                                                                          for (std::uint64_t i = 0; i < kThreads; ++i)
                                                                            lists.run_next(device);
                                                                        }}});
  heddle_check::require(pool->totals().completed == kThreads, "the work of each thread is done");
  heddle_check::require(pool->lanes() == 1 && pool->close(sync::Deadline::never()), "on one stream");
}

}  // namespace

void add_pool_policies(Scenarios& to) {
  to.push_back({.name = "pool_that_fails",
                .group = "pool",
                .threads = 3,
                .body = pool_that_fails,
                .limits = {.masked_wakeups = false},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a pool that does not wait fails only while the stream is held, and hands it out idle"});
  to.push_back({.name = "revocation",
                .group = "pool",
                .threads = 2,
                .body = owner_that_returns_during_a_revocation,
                .limits = {.stale_reads = 1, .masked_wakeups = false},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "an idle stream is revoked for a waiting thread, but never during an operation"});
  to.push_back({.name = "streams_of_ended_threads",
                .group = "pool",
                .threads = 3,
                .body = streams_of_ended_threads,
                .limits = {.masked_wakeups = false},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the stream of an ended thread serves the next one, and its recorded work is done"});
}

}  // namespace heddle::check
