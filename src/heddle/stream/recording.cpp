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

void Recording::enter_slowly(const std::shared_ptr<LanePool>& pool, Patience patience) {
  enter(pool, current_slot(pool), patience);
}

Recording::Recording(const std::shared_ptr<LanePool>& pool, const std::shared_ptr<LeaseSlot>& slot) : pool_(*pool) {
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
  enter(pool, slot.get(), Patience::kWaits);
}

Recording::Recording(const std::shared_ptr<LanePool>& pool, Tries) : pool_(*pool) {
  enter_slowly(pool, Patience::kTries);
}

void Recording::enter(const std::shared_ptr<LanePool>& pool, LeaseSlot* slot, Patience patience) {
  while (true) {
    switch (current_.try_enter(*slot)) {
      case CurrentLane::Entry::kInside: return;
      case CurrentLane::Entry::kClaimed:
        if (pool_.wait_for_claim()) continue;
        throw Closed(
            "the runtime is closed, or closing: nothing more can be recorded; what this thread recorded before is "
            "committed where the shutdown's deadline allows");
      case CurrentLane::Entry::kNoLane: break;
    }
    if (slot->ended.load(sync::relaxed)) {
      // Its Lease ended on another thread: this one goes on with what it had before.
      thread_leases().remove(*slot);
      slot = &thread_leases().current(pool);
      continue;
    }
    if (patience == Patience::kWaits) {
      pool_.acquire(*slot);
    } else if (!pool_.try_acquire(*slot)) {
      return;
    }
  }
}

}  // namespace HEDDLE_NS
