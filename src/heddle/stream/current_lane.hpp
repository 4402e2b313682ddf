// CurrentLane: the calling thread inside one of its leases. Every operation, every allocation and every freed block
// tries this first, so nothing here waits, takes a lock or executes a locked instruction.
//
//   CurrentLane current;
//   if (current.enter(pool.id())) current.lane()->record(...);   // the destructor leaves
//
// Thread safety: an object of one thread's stack.
// Invariants: 1. While inside, nobody takes the lane from the lease (LanePool, invariant 4). 2. Outside, the lane is
// not touched: the pool may have given it to another thread, or may have ended.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/thread_leases.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {

class CurrentLane {
 public:
  enum class Entry : unsigned char {
    kInside,
    kClaimed,  // another thread claims the lease at this moment
    kNoLane,   // the lease was revoked, has ended, or has not got a lane yet
  };

  CurrentLane() = default;
  ~CurrentLane() {
    if (leaves_) slot_->gate.leave();
  }
  CurrentLane(const CurrentLane&) = delete;
  CurrentLane& operator=(const CurrentLane&) = delete;

  explicit operator bool() const noexcept { return lane_ != nullptr; }
  // Null while outside.
  Lane* lane() const noexcept { return lane_; }

  // REQUIRES: outside, a lease of the calling thread, which is not inside it.
  Entry try_enter(LeaseSlot& slot) noexcept {
    if (!slot.gate.try_enter()) [[unlikely]]
      return Entry::kClaimed;
    if (slot.lane == nullptr) [[unlikely]] {
      slot.gate.leave();
      return Entry::kNoLane;
    }
    slot_ = &slot;
    lane_ = slot.lane;
    leaves_ = true;
    return Entry::kInside;
  }
  // Enters the newest lease of the pool `pool_id`. False where that does not succeed at once, where the thread is
  // inside it already, and in a forked child.
  bool enter(std::uint64_t pool_id) noexcept {
    const CurrentLease lease = current_lease();
    if (lease.pool != pool_id || sync::in_forked_child() || lease.slot->gate.entered()) [[unlikely]]
      return false;
    return try_enter(*lease.slot) == Entry::kInside;
  }
  // The same, but a thread that is inside already stays there, and leaves when its outer call does.
  bool enter_or_join(std::uint64_t pool_id) noexcept {
    const CurrentLease lease = current_lease();
    if (lease.pool != pool_id) return false;
    if (!lease.slot->gate.entered()) return try_enter(*lease.slot) == Entry::kInside;
    slot_ = lease.slot;
    lane_ = lease.slot->lane;
    return lane_ != nullptr;
  }

  // Leaves, and gives the lane of an implicit lease up where it is idle and another thread waits for one. Takes the
  // pool's mutex then, and needs the pool to outlive the call; so a freed block, which may be the last thing that keeps
  // the pool, leaves by the destructor alone: its thread gives up at its next operation, or a waiter revokes the lease.
  void leave_and_give_up(LanePool& pool) noexcept {
    // Looked at inside: once this thread is outside, the pool may end, with whatever handler was registered meanwhile.
    const bool wanted = slot_->is_implicit && pool.wanted();
    lane_ = nullptr;
    leaves_ = false;
    slot_->gate.leave();
    if (wanted) [[unlikely]]
      pool.give_up_if_idle(*slot_);
  }

 private:
  LeaseSlot* slot_ = nullptr;
  Lane* lane_ = nullptr;
  bool leaves_ = false;  // the destructor leaves; otherwise outside, or inside by an outer call
};

}  // namespace HEDDLE_NS
