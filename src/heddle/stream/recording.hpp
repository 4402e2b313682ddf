// Recording: the calling thread inside its lease, for one operation (or one call on its stream).
//
//   Recording recording(pool);                 // the thread's current lease; an implicit one if it has none
//   recording.lane().append(...);
//
// Thread safety: an object of one thread's stack; recordings of one thread on one pool do not nest.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/thread_leases.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {

class Recording {
 public:
  // Throws PoolExhausted, WouldBlock, Closed, Forked, std::bad_alloc, or InvalidArgument in a custom operation.
  explicit Recording(const std::shared_ptr<LanePool>& pool) : pool_(*pool), slot_(current_lease().slot) {
    if (!enter_current()) [[unlikely]]
      enter_slowly(pool);
  }
  // With this lease, which must be attached to the calling thread (else InvalidArgument), whatever the current one is.
  Recording(const std::shared_ptr<LanePool>& pool, const std::shared_ptr<LeaseSlot>& slot);
  // As the first, but has no stream where it would have to wait for one: then nothing is recorded on this thread.
  struct Tries {};
  Recording(const std::shared_ptr<LanePool>& pool, Tries);
  ~Recording() {
    if (lane_ == nullptr) [[unlikely]]
      return;
    lane_->forget_noted();
    // Looked at inside: once this thread is outside, the pool may end, with whatever handler was registered meanwhile.
    const bool wanted = slot_->is_implicit && pool_.wanted();
    slot_->gate.leave();
    if (wanted) [[unlikely]]
      pool_.give_up_if_idle(*slot_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Lane& lane() noexcept { return *lane_; }
  // False only after Tries.
  explicit operator bool() const noexcept { return lane_ != nullptr; }

 private:
  // The usual case: the thread's newest lease is of this pool, has its lane, and nobody claims it.
  bool enter_current() noexcept {
    if (sync::in_forked_child() || current_lease().pool != pool_.id() || slot_->gate.entered()) return false;
    if (sync::NoWaiting::recording_forbidden()) [[unlikely]]
      return false;
    if (!slot_->gate.try_enter()) return false;
    lane_ = slot_->lane;
    if (lane_ != nullptr) [[likely]]
      return true;
    slot_->gate.leave();
    return false;
  }
  void enter_slowly(const std::shared_ptr<LanePool>& pool);
  enum class Patience : unsigned char { kWaits, kTries };
  void enter(const std::shared_ptr<LanePool>& pool, Patience patience = Patience::kWaits);

  LanePool& pool_;
  LeaseSlot* slot_;
  Lane* lane_ = nullptr;
};

}  // namespace HEDDLE_NS
