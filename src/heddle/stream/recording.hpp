// Recording: the calling thread inside its lease, for one operation (or one call on its stream).
//
//   Recording recording(pool);                 // the thread's current lease; an implicit one if it has none
//   recording.lane().record(...);
//
// Thread safety: an object of one thread's stack; recordings of one thread on one pool do not nest.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/current_lane.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS {

class Recording {
 public:
  // Throws PoolExhausted, WouldBlock, Closed, Forked, std::bad_alloc, or InvalidArgument in a custom operation.
  explicit Recording(const std::shared_ptr<LanePool>& pool) : pool_(*pool) {
    if (sync::NoWaiting::recording_forbidden() || !current_.enter(pool_.id())) [[unlikely]]
      enter_slowly(pool, Patience::kWaits);
  }
  // With this lease, which must be attached to the calling thread (otherwise InvalidArgument), whatever the current one
  // is.
  Recording(const std::shared_ptr<LanePool>& pool, const std::shared_ptr<LeaseSlot>& slot);
  // As the first, but has no stream where it would have to wait for one: then nothing is recorded on this thread.
  struct Tries {};
  Recording(const std::shared_ptr<LanePool>& pool, Tries);
  ~Recording() {
    if (!current_) [[unlikely]]
      return;
    current_.leave_and_give_up(pool_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Lane& lane() noexcept { return *current_.lane(); }
  // False only after Tries.
  explicit operator bool() const noexcept { return static_cast<bool>(current_); }

 private:
  enum class Patience : unsigned char { kWaits, kTries };
  void enter_slowly(const std::shared_ptr<LanePool>& pool, Patience patience);
  void enter(const std::shared_ptr<LanePool>& pool, LeaseSlot* slot, Patience patience);

  LanePool& pool_;
  CurrentLane current_;
};

}  // namespace HEDDLE_NS
