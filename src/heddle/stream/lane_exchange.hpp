// LaneExchange: lanes on their way between leases, waiters and the free ones. What a LanePool decides under its mutex,
// without waiting and without a call to the device.
//
// Thread safety: none; the pool's mutex guards it. Invariants: those of LanePool.
#pragma once

#include <cstddef>
#include <functional>

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/lane_table.hpp"
#include "heddle/stream/lease_table.hpp"
#include "heddle/stream/returned_lanes.hpp"
#include "heddle/stream/waiter_queue.hpp"

namespace HEDDLE_NS {

class LaneExchange {
 public:
  // `waiters` outlives it.
  explicit LaneExchange(WaiterQueue& waiters) noexcept : waiters_(waiters) {}

  LaneTable& lanes() noexcept { return lanes_; }
  const LaneTable& lanes() const noexcept { return lanes_; }
  LeaseTable& leases() noexcept { return leases_; }
  const LeaseTable& leases() const noexcept { return leases_; }
  ReturnedLanes& returned() noexcept { return returned_; }

  // A lane that is free and idle, for a newcomer: while threads wait, only stream 0 (`may_have_main`).
  Lane* take_free(bool may_have_main) noexcept;
  // A lane without a lease: to the first waiter if it is idle, otherwise to the free ones.
  void give(Lane* lane) noexcept;
  // Takes idle lanes from implicit leases, a few more than there are waiters, and gives them to those.
  void revoke_idle() noexcept;
  // True while a lane that was given back, and that the asker may have, still runs.
  bool any_returning(bool may_have_main) const noexcept;
  // The calling thread itself holds every lane that it may have, and none becomes free while it waits.
  bool caller_holds_all(bool may_have_main) const noexcept;

  // Calls `visit` for every lane that no thread is inside of, with its lease claimed meanwhile. `for_good`: all leases
  // are claimed already, and stay so.
  void visit_idle(const std::function<void(Lane&)>& visit, bool for_good);
  // Takes what can be taken from leases into the returned ones. False: some thread is inside its gate, or commits for
  // another. REQUIRES: all leases are claimed.
  bool take_all() noexcept;

 private:
  WaiterQueue& waiters_;
  LaneTable lanes_;
  LeaseTable leases_;
  ReturnedLanes returned_;
};

}  // namespace HEDDLE_NS
