#include "heddle/runtime/lifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kMostSizes = 64;

// How long a call waits for another thread's shutdown: that one takes a second more than its own deadline where it has
// to tell abandoned handlers, and calls with equal deadlines get the same report.
sync::Deadline patience(sync::Deadline deadline) noexcept {
  constexpr std::chrono::milliseconds kTelling{1500};
  return deadline.time() > sync::TimePoint::max() - kTelling ? sync::Deadline::never()
                                                             : sync::Deadline::at(deadline.time() + kTelling);
}

}  // namespace

// The runtimes that have not ended. Linked through themselves, so that neither a hook nor a destructor needs memory.
class Lifecycle::Table {
 public:
  void enter(const std::shared_ptr<Lifecycle>& one, KernelLibrary library) {
    sync::MutexLock lock(mutex_);
    // Exit runs hooks before it destroys the static objects that were there when they were set, and a kernel library
    // that only this device uses has just made its own: one hook for each library.
    const auto bit = static_cast<unsigned>(library);
    if ((hooked_ & bit) == 0) sync::at_process_exit([] { end_all_with_process(); });
    hooked_ |= bit;
    one->next_ = std::exchange(first_, one.get());
    one->listed_ = one;
  }

  // Null: it was not there. It may end at `ended`, or is kept from now on: reachable, so that leak checkers know that
  // it is meant to stay.
  std::shared_ptr<Lifecycle> leave(Lifecycle& one, bool ended, bool was_ending, std::size_t bytes_kept) noexcept {
    sync::MutexLock lock(mutex_);
    if (was_ending) --left_.ending;
    if (!ended) {
      ++left_.kept;
      left_.bytes_kept += bytes_kept;
      return nullptr;
    }
    for (Lifecycle** at = &first_; *at != nullptr; at = &(*at)->next_) {
      if (*at != &one) continue;
      *at = one.next_;
      return std::move(one.listed_);
    }
    return nullptr;
  }

  void note_ending() noexcept {
    sync::MutexLock lock(mutex_);
    ++left_.ending;
  }
  RuntimesLeft left() noexcept {
    sync::MutexLock lock(mutex_);
    return left_;
  }

  // The first that has not been ended with the process.
  std::shared_ptr<Lifecycle> next_to_end() noexcept {
    sync::MutexLock lock(mutex_);
    for (Lifecycle* at = first_; at != nullptr; at = at->next_) {
      if (!at->ended_with_process_) return at->listed_;
    }
    hooked_ = 0;  // one that is opened later, in a static destructor, needs a hook again
    return nullptr;
  }
  // How many runtimes with work, this one counted, have to share the time that is left; 0: `one` has been ended.
  int claim_end(Lifecycle& one) noexcept {
    sync::MutexLock lock(mutex_);
    if (std::exchange(one.ended_with_process_, true)) return 0;
    int sharing = 1;
    for (Lifecycle* at = first_; at != nullptr; at = at->next_) {
      if (!at->ended_with_process_ && at->core_->pool()->has_work()) ++sharing;
    }
    return sharing;
  }

 private:
  sync::Mutex mutex_{Rank::kRuntimeRegistry};
  Lifecycle* first_ HEDDLE_GUARDED_BY(mutex_) = nullptr;
  unsigned hooked_ HEDDLE_GUARDED_BY(mutex_) = 0;
  RuntimesLeft left_ HEDDLE_GUARDED_BY(mutex_);
};

// Never destroyed: static destructors of any order may still need it.
Lifecycle::Table& Lifecycle::table() {
  static auto* const the_table = new Table;
  return *the_table;
}

std::shared_ptr<Lifecycle> Lifecycle::open(std::shared_ptr<Core> core, KernelLibrary library) {
  static const bool pinned = [] {
    sync::pin_module();
    return true;
  }();
  static_cast<void>(pinned);
  sync::Reaper::attend();
  auto lifecycle = std::make_shared<Lifecycle>(std::move(core));
  table().enter(lifecycle, library);  // last: what is in the table has threads until it is ended
  return lifecycle;
}

bool Lifecycle::would_wait_for_itself() const noexcept {
  return sync::NoWaiting::active() || core_->pool()->waits_for_this_thread();
}

ShutdownReport Lifecycle::shutdown(sync::Deadline deadline) {
  sync::require_not_forked();
  if (would_wait_for_itself() && !HEDDLE_PLANT(shutdown_waits_in_handlers)) {
    const char* const place = sync::NoWaiting::place();
    throw WouldBlock(
        fmt::format("shutting down would wait inside {}, which other threads, or the shutdown itself, depend on; call "
                    "request_shutdown() there, or shut down on a thread of your own",
                    place != nullptr ? place : "a completion handler of this runtime, or a call on it"));
  }
  if (!shut_down(deadline, patience(deadline))) {
    throw Timeout(
        "another thread is shutting this runtime down and was not done by this call's deadline; call shutdown() again "
        "to wait for its report");
  }
  sync::MutexLock lock(mutex_);
  return report_;
}

sync::Deadline Lifecycle::default_deadline() noexcept {
  if (sync::process_is_exiting()) return sync::Deadline::at(sync::process_exit_began() + kExitDrain);
  return sync::Deadline::after(kShutdownDeadline);
}

void Lifecycle::request_shutdown() {
  sync::require_not_forked();
  core_->pool()->refuse();
  sync::Reaper::hand_over(*this, shared_from_this());
}

bool Lifecycle::shut_down(sync::Deadline deadline, sync::Deadline others, sync::Deadline most) noexcept {
  {
    sync::MutexLock lock(mutex_);
    while (state_ == State::kDraining) {
      if (!closed_.wait_until(mutex_, others) && state_ == State::kDraining) return false;
    }
    if (state_ == State::kClosed) return true;
    state_ = State::kDraining;
  }
  ShutdownReport report = drain(deadline, most);
  sync::MutexLock lock(mutex_);
  report_ = std::move(report);
  state_ = State::kClosed;
  closed_.notify_all();
  return true;
}

ShutdownReport Lifecycle::drain(sync::Deadline deadline, sync::Deadline most) noexcept {
  ShutdownReport report;
  report.complete = core_->close(deadline, most);
  if (!report.complete) keep();
  report.complete = report.complete && !core_->pool()->has_work();  // again in describe(), which may find no memory
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

void Lifecycle::end() noexcept {
  if (sync::process_is_exiting()) return end_with_process();  // and stays in the table
  const sync::Deadline deadline = sync::Deadline::after(kShutdownDeadline);
  const bool inside = would_wait_for_itself() && !HEDDLE_PLANT(last_owner_waits_for_itself);
  if (inside || !shut_down(deadline, patience(deadline))) return leave_to_reaper();
  release();
}

void Lifecycle::leave_to_reaper() noexcept {
  {
    sync::MutexLock lock(mutex_);
    orphaned_ = true;
  }
  table().note_ending();
  sync::Reaper::hand_over(*this, shared_from_this());
}

void Lifecycle::reap() noexcept {
  bool orphaned = false;
  {
    sync::MutexLock lock(mutex_);
    orphaned = std::exchange(orphaned_, false);  // two of its threads may be at this: one of them releases
  }
  // A shutdown that was only asked for may be somebody else's by now.
  const sync::Deadline others = orphaned ? sync::Deadline::never() : sync::Deadline::at({});
  if (shut_down(sync::Deadline::after(kShutdownDeadline), others) && orphaned) leave_table(true);
}

void Lifecycle::release() noexcept { leave_table(false); }

void Lifecycle::leave_table(bool was_ending) noexcept {
  bool ended = false;
  std::size_t bytes_kept = 0;
  {
    sync::MutexLock lock(mutex_);
    ended = state_ == State::kClosed && !kept_;
    bytes_kept = report_.bytes_kept;
  }
  const std::shared_ptr<Lifecycle> self = table().leave(*this, ended, was_ending, bytes_kept);
  if (ended) core_->memory().retire(core_);
}

void Lifecycle::keep() noexcept {
  sync::MutexLock lock(mutex_);
  if (!std::exchange(kept_, true)) core_->keep_forever(core_);
}

void Lifecycle::end_all_with_process() noexcept {
  if (sync::in_forked_child()) return;
  sync::note_process_exit();
  while (const std::shared_ptr<Lifecycle> lifecycle = table().next_to_end()) lifecycle->end_with_process();
  // Inside a handler: the reaper may wait for it.
  const bool waits = !sync::NoWaiting::active();
  sync::Reaper::finish(sync::Deadline::at(waits ? sync::process_exit_began() + kExitMost : sync::TimePoint{}));
}

void Lifecycle::end_with_process() noexcept {
  const int sharing = table().claim_end(*this);
  if (sharing == 0) return;
  keep();
  // One whose work never ends takes only its share: others have not even committed theirs.
  const sync::TimePoint now = sync::now();
  const auto share = [&](std::chrono::milliseconds of_exit) {
    return sync::Deadline::at(now + (sync::process_exit_began() + of_exit - now) / sharing);
  };
  const sync::Deadline most = share(kExitMost);
  bool drained = false;
  if (!would_wait_for_itself()) {  // otherwise exit was called on a thread that the drain would wait for
    const sync::Deadline deadline = share(kExitDrain);
    // Another thread may be shutting down with a deadline of its own: its drain is waited for no longer than ours.
    if (shut_down(deadline, deadline, most)) {
      sync::MutexLock lock(mutex_);
      drained = report_.complete;
    }
  }
  if (drained) return;
  core_->device().park(most);
  core_->pool()->abandon();
}

RuntimesLeft Lifecycle::left() noexcept { return table().left(); }

}  // namespace HEDDLE_NS
