#include "heddle/stream/recording.hpp"

#include <fmt/format.h>

#include <string>

#include "heddle/error.hpp"
#include "heddle/stream/thread_leases.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {
namespace {

LeaseSlot* current_slot(const std::shared_ptr<LanePool>& pool) {
  sync::require_not_forked();
  LeaseSlot& slot = thread_leases().current(pool);
  // It runs on a worker, on a thread that waits inside a call on its stream, or on one that waits for another's.
  if (slot.gate.entered() || sync::NoWaiting::recording_forbidden()) [[unlikely]]
    throw_recording_in_custom_operation();
  return &slot;
}

}  // namespace

void Recording::enter_slowly(const std::shared_ptr<LanePool>& pool) {
  slot_ = current_slot(pool);
  enter(pool);
}

Recording::Recording(const std::shared_ptr<LanePool>& pool, const std::shared_ptr<LeaseSlot>& slot)
    : pool_(*pool), slot_(slot.get()) {
  sync::require_not_forked();
  if (sync::NoWaiting::recording_forbidden()) throw_recording_in_custom_operation();
  const std::uint64_t thread = slot->thread.load(sync::acquire);
  if (thread != sync::this_thread_id()) {
    throw InvalidArgument(thread == 0
                              ? std::string("this lease is attached to no thread; call attach() first")
                              : fmt::format("this lease is attached to thread {}, and the call came from thread "
                                            "{}; detach() it there and attach() it here",
                                            thread, sync::this_thread_id()));
  }
  enter(pool);
}

Recording::Recording(const std::shared_ptr<LanePool>& pool, Tries) : pool_(*pool), slot_(current_slot(pool)) {
  enter(pool, Patience::kTries);
}

void Recording::enter(const std::shared_ptr<LanePool>& pool, Patience patience) {
  while (true) {
    if (!slot_->gate.try_enter()) [[unlikely]] {
      if (!pool_.wait_for_claim()) {
        throw Closed(
            "the runtime is closed, or closing: nothing more can be recorded; what this thread recorded before is "
            "committed where the shutdown's deadline allows");
      }
      continue;
    }
    lane_ = slot_->lane;
    if (lane_ != nullptr) [[likely]]
      return;
    slot_->gate.leave();
    if (slot_->ended.load(sync::relaxed)) {
      // Its Lease ended on another thread: this one goes on with what it had before.
      thread_leases().remove(*slot_);
      slot_ = &thread_leases().current(pool);
      continue;
    }
    if (patience == Patience::kWaits) {
      pool_.acquire(*slot_);
    } else if (!pool_.try_acquire(*slot_)) {
      return;
    }
  }
}

}  // namespace HEDDLE_NS
