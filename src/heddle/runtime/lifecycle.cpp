#include "heddle/runtime/lifecycle.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kMostSizes = 64;

// Never destroyed: static destructors of any order may still need it.
struct Registry {
  sync::Mutex mutex{Rank::kRuntimeRegistry};
  std::vector<std::shared_ptr<Lifecycle>> open HEDDLE_GUARDED_BY(mutex);
  // Released, but not ended: reachable, so that leak checkers know that they are meant to stay.
  std::vector<std::shared_ptr<Lifecycle>> kept HEDDLE_GUARDED_BY(mutex);
};

Registry& registry() {
  static auto* const the_registry = new Registry;
  return *the_registry;
}

void end_all_with_process() {
  if (sync::in_forked_child()) return;
  std::vector<std::shared_ptr<Lifecycle>> open;
  {
    sync::MutexLock lock(registry().mutex);
    open = registry().open;
  }
  const sync::Deadline deadline = sync::Deadline::after(Lifecycle::kExitDrain);
  for (const auto& lifecycle : open) lifecycle->end_with_process(deadline);
}

}  // namespace

std::shared_ptr<Lifecycle> Lifecycle::open(std::shared_ptr<Core> core) {
  static const bool pinned = [] {
    sync::pin_module();
    return true;
  }();
  static_cast<void>(pinned);
  // Each time: exit runs hooks before it destroys the static objects that were there when they were set, and a kernel
  // library that only this device uses has just made its own.
  sync::at_process_exit(end_all_with_process);
  auto lifecycle = std::make_shared<Lifecycle>(std::move(core));
  sync::MutexLock lock(registry().mutex);
  registry().open.push_back(lifecycle);
  registry().kept.reserve(registry().kept.size() + registry().open.size());  // release() must not fail
  return lifecycle;
}

ShutdownReport Lifecycle::shutdown(sync::Deadline deadline) {
  sync::require_not_forked();
  if (!HEDDLE_PLANT(shutdown_waits_in_handlers)) sync::NoWaiting::refuse("shutting down");
  return *shut_down(deadline, sync::Deadline::never());
}

std::optional<ShutdownReport> Lifecycle::shut_down(sync::Deadline deadline, sync::Deadline others) {
  {
    sync::MutexLock lock(mutex_);
    while (state_ == State::kDraining) {
      if (!closed_.wait_until(mutex_, others) && state_ == State::kDraining) return std::nullopt;
    }
    if (state_ == State::kClosed) return report_;
    state_ = State::kDraining;
  }
  ShutdownReport report = drain(deadline);
  sync::MutexLock lock(mutex_);
  report_ = std::move(report);
  state_ = State::kClosed;
  closed_.notify_all();
  return report_;
}

ShutdownReport Lifecycle::drain(sync::Deadline deadline) noexcept {
  ShutdownReport report;
  report.complete = core_->close(deadline);
  if (!report.complete) keep();
  try {
    describe(report);
  } catch (...) {  // NOLINT(bugprone-empty-catch): the shutdown counts, not what is told of it
    // Host memory ran out: the rest is not told.
  }
  return report;
}

void Lifecycle::describe(ShutdownReport& report) const {
  const LaneTotals lanes = core_->pool()->totals();
  report.completed = lanes.completed;
  report.failed = lanes.failed;
  report.abandoned = lanes.abandoned;
  const MemoryStatistics memory = core_->memory().statistics();
  report.leaked_blocks = memory.live_blocks;
  report.leaked_bytes = memory.live;
  if (!report.complete) report.bytes_kept = memory.reserved;
  const HandlerStatistics handlers = core_->pool()->handler_statistics();
  report.handlers_run = handlers.run;
  report.handlers_abandoned = handlers.abandoned;
  report.handlers_pending = handlers.pending;
  // A task that an executor keeps is not done, but needs nothing of the core.
  report.complete = report.complete && handlers.pending == 0;
  report.busy = core_->pool()->busy();
  report.leaked_sizes = core_->memory().live_sizes(kMostSizes);
}

void Lifecycle::release() noexcept {
  std::shared_ptr<Lifecycle> self;
  bool ended = false;
  {
    sync::MutexLock lock(mutex_);
    ended = state_ == State::kClosed && !kept_;
  }
  {
    sync::MutexLock lock(registry().mutex);
    auto& open = registry().open;
    const auto at = std::find_if(open.begin(), open.end(), [this](const auto& other) { return other.get() == this; });
    if (at != open.end()) {
      self = std::move(*at);
      open.erase(at);
      if (!ended) registry().kept.push_back(self);
    }
  }
  if (ended) core_->memory().retire(core_);
}

void Lifecycle::keep() noexcept {
  sync::MutexLock lock(mutex_);
  if (!std::exchange(kept_, true)) core_->keep_forever(core_);
}

void Lifecycle::end_with_process(sync::Deadline deadline) noexcept {
  {
    sync::MutexLock lock(mutex_);
    if (std::exchange(ended_, true)) return;
  }
  keep();
  bool drained = false;
  if (!sync::NoWaiting::active()) {  // else exit was called on a thread that the drain would wait for
    try {
      // Another thread may be shutting down with a deadline of its own: its drain is waited for no longer than ours.
      const std::optional<ShutdownReport> report = shut_down(deadline, deadline);
      drained = report.has_value() && report->complete;
    } catch (...) {
      drained = false;
    }
  }
  if (drained) return;
  core_->device().park(sync::Deadline::after(kExitDrain));
  core_->pool()->abandon();
}

}  // namespace HEDDLE_NS
