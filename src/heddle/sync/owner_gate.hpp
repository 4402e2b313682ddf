// Lets one owner enter its structure at the cost of a plain store, and occasionally lets another thread enter instead.
//
// Owner:    if (gate.try_enter()) { ... gate.leave(); }; otherwise a claim is in progress: take the slow path and
// retry. Claimers: serialized by a mutex of the structure. Call gate.announce() on each candidate, then one
//           asymmetric_fence_heavy() for all of them, then gate.owner_inside(). If that is false, the claimer may be
//           inside until gate.withdraw(); if true, it withdraws and tries later. A claimer never waits for an owner,
//           and does little while it holds the claim.
//
// Invariants: 1. At most one of {owner, one claimer} is inside. 2. try_enter/leave are called only by the owner and do
// not nest. 3. Each stay inside happens-before the next one (release/acquire on both words).
#pragma once

#include <cstdint>

#include "heddle/base/check.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/sync/asymmetric_fence.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS::sync {

class OwnerGate {
 public:
  bool try_enter() noexcept {
    HEDDLE_DCHECK(inside_.load(relaxed) == 0, "the owner entered its gate twice");
    inside_.store(1, relaxed);
    asymmetric_fence_light();  // orders the store before the load; counterpart: the claimer's heavy fence
    if (claimed_.load(acquire) == 0) [[likely]]
      return true;
    inside_.store(0, release);
    return false;
  }
  void leave() noexcept { inside_.store(0, release); }

  // Called by the owner.
  bool entered() const noexcept { return inside_.load(relaxed) != 0; }

  void announce() noexcept { claimed_.store(1, relaxed); }
  bool owner_inside() const noexcept { return inside_.load(acquire) != 0; }
  void withdraw() noexcept { claimed_.store(0, release); }

 private:
  Atomic<std::uint32_t> inside_{0};   // written by the owner
  Atomic<std::uint32_t> claimed_{0};  // written by the claimer that holds the structure's mutex
};

}  // namespace HEDDLE_NS::sync
