#include "heddle/runtime/lifecycle.hpp"

#include <algorithm>
#include <vector>

#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kMostSizes = 64;

// Never destroyed: static destructors of any order may still need it.
struct Registry {
  sync::Mutex mutex{Rank::kRuntimeRegistry};
  std::vector<std::shared_ptr<Lifecycle>> open HEDDLE_GUARDED_BY(mutex);
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
  for (const auto& lifecycle : open) lifecycle->end_with_process();
}

}  // namespace

std::shared_ptr<Lifecycle> Lifecycle::open(std::shared_ptr<Core> core) {
  static const bool prepared = [] {
    sync::pin_module();
    sync::at_process_exit(end_all_with_process);
    return true;
  }();
  static_cast<void>(prepared);
  auto lifecycle = std::make_shared<Lifecycle>(std::move(core));
  sync::MutexLock lock(registry().mutex);
  registry().open.push_back(lifecycle);
  return lifecycle;
}

ShutdownReport Lifecycle::shutdown(sync::Deadline deadline) {
  sync::require_not_forked();
  sync::NoWaiting::refuse("shutting down");
  {
    sync::MutexLock lock(mutex_);
    while (state_ == State::kDraining) closed_.wait(mutex_);
    if (state_ == State::kClosed) return report_;
    state_ = State::kDraining;
  }
  ShutdownReport report = drain(deadline);
  sync::MutexLock lock(mutex_);
  report_ = report;
  state_ = State::kClosed;
  closed_.notify_all();
  return report;
}

ShutdownReport Lifecycle::drain(sync::Deadline deadline) {
  ShutdownReport report;
  try {
    report.complete = core_->close(deadline);
  } catch (...) {
    report.complete = false;  // host memory ran out while closing a list: its work did not run
  }
  const LaneTotals lanes = core_->pool()->totals();
  report.completed = lanes.completed;
  report.failed = lanes.failed;
  report.abandoned = lanes.abandoned;
  const HandlerStatistics handlers = core_->pool()->handler_statistics();
  report.handlers_run = handlers.run;
  report.handlers_abandoned = handlers.abandoned;
  report.handlers_pending = handlers.pending;
  report.busy = core_->pool()->holders();
  if (report.busy == "none") report.busy.clear();
  const MemoryStatistics memory = core_->memory().statistics();
  report.leaked_blocks = memory.live_blocks;
  report.leaked_bytes = memory.live;
  report.leaked_sizes = core_->memory().live_sizes(kMostSizes);
  if (!report.complete) {
    report.bytes_kept = memory.reserved;
    keep();
  }
  return report;
}

void Lifecycle::release() noexcept {
  std::shared_ptr<Lifecycle> self;
  bool complete = false;
  {
    sync::MutexLock lock(mutex_);
    complete = state_ == State::kClosed && report_.complete;
  }
  {
    sync::MutexLock lock(registry().mutex);
    auto& open = registry().open;
    const auto at = std::find_if(open.begin(), open.end(), [this](const auto& other) { return other.get() == this; });
    if (at != open.end()) {
      self = std::move(*at);
      open.erase(at);
    }
  }
  if (complete) core_->memory().retire(core_);
}

void Lifecycle::end_with_process() noexcept {
  keep();
  bool drained = false;
  if (!sync::NoWaiting::active()) {  // else exit was called on a thread that the drain would wait for
    try {
      drained = shutdown(sync::Deadline::after(kExitDrain)).complete;
    } catch (...) {
      drained = false;
    }
  }
  if (drained) return;
  const bool inside = sync::NoWaiting::active();
  core_->device().park(inside ? sync::Deadline::at({}) : sync::Deadline::after(kExitDrain));
  core_->pool()->abandon();
}

}  // namespace HEDDLE_NS
