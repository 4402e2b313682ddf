// Events of a whole runtime: between streams, and for threads that wait for one or query it.
#include <functional>
#include <optional>

#include "check/scenarios.hpp"
#include "check/scenarios/runtime_support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/tensor/core.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

struct Written {
  Tensor tensor;
  Event event;
};

// Passes what one thread wrote to others.
class HandOver {
 public:
  void put(Written written) {
    sync::MutexLock lock(mutex_);
    written_.emplace(std::move(written));
    changed_.notify_all();
  }
  Written get() {
    sync::MutexLock lock(mutex_);
    while (!written_) changed_.wait(mutex_);
    return *written_;
  }
  void clear() {
    std::optional<Written> last;  // destroyed without the lock
    sync::MutexLock lock(mutex_);
    last.swap(written_);
  }

 private:
  sync::Mutex mutex_{Rank::kLeaf};
  sync::ConditionVariable changed_;
  std::optional<Written> written_ HEDDLE_GUARDED_BY(mutex_);
};

// A thread writes memory, takes an event, drops the memory, and fills memory of the same size. `other` uses the memory
// and the event, and may be the last to free them.
void with_an_event(const char* name, const std::function<void(Runtime&, HandOver&)>& other) {
  Runtime runtime(simulated());
  // For the writer's stream: another stream that does not wait for it runs first.
  static_cast<sim::SimDevice&>(runtime.core().device()).set_delay(StreamId{1}, 1000);
  leave_memory_in_depot(runtime);
  HandOver from_writer;
  heddle_check::run_together({{"writer",
                               [&] {
                                 {
                                   Tensor x = full(runtime, {1}, 2.0f);
                                   const Event event = runtime.record_event();
                                   from_writer.put({std::move(x), event});
                                 }
                                 heddle_check::require(full(runtime, {1}, 3.0f).item() == 3.0f,
                                                       "the writer reads its own values");
                               }},
                              {name, [&] { other(runtime, from_writer); }}});
  from_writer.clear();
  const ShutdownReport report = runtime.shutdown();
  heddle_check::require(report.complete && report.leaked_blocks == 0, "no block is left");
}

// A stream records after the event, and reads what was written.
void event_between_streams() {
  with_an_event("reader", [](Runtime& runtime, HandOver& from_writer) {
    std::optional<Written> written = from_writer.get();
    runtime.wait(written->event);
    const Tensor sum = add(written->tensor, written->tensor);
    written.reset();
    heddle_check::require(sum.item() == 4.0f, "a stream runs after the event");
  });
}

// A thread queries the event, and waits for it.
void event_that_a_thread_waits_for() {
  with_an_event("waiter", [](Runtime&, HandOver& from_writer) {
    const Written written = from_writer.get();
    const bool before = written.event.query();
    written.event.wait();
    heddle_check::require(written.event.query() && written.event.status().ok(),
                          "an event that was waited for is complete");
    heddle_check::require(!before || written.tensor.item() == 2.0f, "work before a complete event is done");
  });
}

}  // namespace

void add_runtime_events(Scenarios& to) {
  to.push_back({.name = "runtime_events",
                .group = "ticket",
                .threads = 2,
                .body = event_between_streams,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a stream continues after an event once the work before the event is done"});
  to.push_back({.name = "event_waiter",
                .group = "ticket",
                .threads = 2,
                .body = event_that_a_thread_waits_for,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a thread continues after an event once the work before the event is done"});
}

}  // namespace heddle::check
