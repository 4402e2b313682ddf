// Runtimes whose last owner is dropped where it must not wait, and shutdowns that are only requested.
#include <memory>
#include <optional>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"
#include "heddle/runtime/lifecycle.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/reaper.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Resets static state for each execution, and checks at the end that nothing is left in it.
class Reaped {
 public:
  Reaped() {
    sync::Reaper::forget();
    before_ = runtimes_left();
  }
  void require_all() const {
    // Twice: the host may refuse to start one thread.
    const bool finished = sync::Reaper::finish(sync::Deadline::never());
    heddle_check::require(finished || sync::Reaper::finish(sync::Deadline::never()), "the reaper has no work left");
    const RuntimesLeft left = runtimes_left();
    heddle_check::require(left.ending == before_.ending, "the runtime has ended");
    heddle_check::require(left.kept == before_.kept, "and no part of it is kept");
  }

 private:
  RuntimesLeft before_;
};

// Set by one thread, awaited by another.
class Signal {
 public:
  void give() {
    sync::MutexLock lock(mutex_);
    given_ = true;
    changed_.notify_all();
  }
  void await() {
    sync::MutexLock lock(mutex_);
    while (!given_) changed_.wait(mutex_);
  }

 private:
  sync::Mutex mutex_{Rank::kLeaf};
  sync::ConditionVariable changed_;
  bool given_ HEDDLE_GUARDED_BY(mutex_) = false;
};

// The handler thread drops the last owner, possibly while the thread that registered the handler is still in that call.
void last_owner_in_a_handler() {
  const Reaped reaped;
  Signal dropped;
  heddle_check::Noted<int> told = 0;
  {
    auto owner = std::make_unique<Runtime>(simulated());
    Runtime& runtime = *owner;
    const std::shared_ptr<std::unique_ptr<Runtime>> held = std::make_shared<std::unique_ptr<Runtime>>(std::move(owner));
    full(runtime, {1}, 2.0f);
    const Event done = runtime.record_event();
    runtime.on_complete([held, &told, &dropped](const Status& status) {
      told += status.ok() ? 1 : 100;
      held->reset();
      dropped.give();
    });
    done.wait();  // the simulated device works for waiting threads
    dropped.await();
  }
  reaped.require_all();
  heddle_check::require(told == 1, "the handler received one status");
}

// One thread requests a shutdown, which a reaper thread begins; then the last owner is dropped where waiting is
// forbidden.
void request_and_last_owner() {
  const Reaped reaped;
  auto runtime = std::make_unique<Runtime>(simulated());
  full(*runtime, {1}, 2.0f);
  runtime->request_shutdown();
  {
    const sync::NoWaiting no_waiting("a callback");
    runtime.reset();
  }
  reaped.require_all();
}

// A shutdown is requested while another thread shuts down, and a third records.
void request_shutdown_and_record() {
  const Reaped reaped;
  heddle_check::Noted<std::uint64_t> recorded = 0;
  ShutdownReport report;
  {
    Runtime runtime(simulated());
    heddle_check::run_together({{"asks",
                                 [&] {
                                   full(runtime, {1}, 2.0f);  // so that it has a stream
                                   ++recorded;
                                   runtime.request_shutdown();
                                   bool refused = false;
                                   try {
                                     full(runtime, {1}, 2.0f);
                                   } catch (const Closed&) {
                                     refused = true;
                                   }
                                   heddle_check::require(refused, "recording fails after a request");
                                 }},
                                {"records", [&] {
                                   try {
                                     for (int i = 0; i < 2; ++i) {
                                       full(runtime, {1}, 2.0f);
                                       ++recorded;
                                     }
                                   } catch (const Closed&) {  // per contract
                                   }
                                 }}});
    report = runtime.shutdown();
  }
  heddle_check::require(report.complete && report.completed == recorded, "earlier work is done");
  reaped.require_all();
}

// The process exits while the reaper ends a runtime.
void exit_and_reaper() {
  const Reaped reaped;
  auto runtime = std::make_unique<Runtime>(simulated());
  heddle_check::Noted<int> told = 0;
  runtime->on_complete([&](const Status&) { ++told; });
  heddle_check::run_together({{"drops",
                               [&] {
                                 const sync::NoWaiting no_waiting("a callback");
                                 runtime.reset();
                               }},
                              {"exits", [] { Lifecycle::end_all_with_process(); }}});
  heddle_check::require(sync::Reaper::finish(sync::Deadline::never()), "the reaper has no work left");
  heddle_check::require(told == 1, "the handler received one status");
}

}  // namespace

void add_runtime_reaper(Scenarios& to) {
  to.push_back({.name = "last_owner_in_handler",
                .group = "shutdown",
                .threads = 3,
                .body = last_owner_in_a_handler,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 5'000}},
                .claim = "a runtime whose last owner is dropped in a handler ends, with all its threads"});
  to.push_back({.name = "request_and_last_owner",
                .group = "shutdown",
                .threads = 2,
                .body = request_and_last_owner,
                .limits = {.thread_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a runtime with a requested shutdown ends even if its owner is dropped meanwhile"});
  to.push_back({.name = "request_shutdown",
                .group = "shutdown",
                .threads = 3,
                .body = request_shutdown_and_record,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 5'000}},
                .claim = "after a request, recording fails and all earlier work is done"});
  to.push_back({.name = "exit_and_reaper",
                .group = "shutdown",
                .threads = 3,
                .body = exit_and_reaper,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 1'000}},
                .claim = "process exit and the reaper together end a runtime once"});
}

}  // namespace heddle::check
