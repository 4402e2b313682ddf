// Lanes that are taken from leases of other threads: by claiming their gates (sync/owner_gate.hpp), under the mutex.
#include <utility>

#include "heddle/stream/lane_pool.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

// Idle leases that are revoked beyond what is asked for: taking one later costs no fence then.
constexpr std::size_t kSpareRevoked = 8;

}  // namespace

// One fence, whose cost is the same for one lane and for many, serves everybody who waits now, and who comes next.
void LanePool::revoke_idle() {
  std::size_t most = waiters_.size() + kSpareRevoked;
  for (const auto& slot : slots_) {
    if (slot->revocable()) slot->gate.announce();
  }
  sync::asymmetric_fence_heavy();
  for (const auto& slot : slots_) {
    if (!slot->revocable()) continue;
    const bool inside = slot->gate.owner_inside() && !HEDDLE_PLANT(pool_revokes_over_owner);
    if (most != 0 && !inside && slot->lane != nullptr && slot->lane->id().value != 0 && slot->lane->transferable()) {
      give(std::exchange(slot->lane, nullptr));
      --most;
    }
    slot->gate.withdraw();
  }
}

void LanePool::visit_idle(const std::function<void(Lane&)>& visit) {
  sync::MutexLock lock(mutex_);
  if (abandoned_) return;
  std::vector<bool> busy(lanes_.size());
  for (const auto& slot : slots_) slot->gate.announce();
  struct Withdraw {
    const std::vector<std::shared_ptr<LeaseSlot>>& slots;
    const bool for_good;  // refuse() has claimed them too, and nobody shall enter any more
    ~Withdraw() {
      if (for_good) return;
      for (const auto& slot : slots) slot->gate.withdraw();
    }
  } const withdraw{slots_, closed_};
  sync::asymmetric_fence_heavy();
  for (const auto& slot : slots_) {
    if (slot->lane != nullptr && slot->gate.owner_inside()) busy[slot->lane->id().value] = true;
  }
  for (const auto& lane : lanes_) {
    if (lane != nullptr && (!busy[lane->id().value] || HEDDLE_PLANT(pool_visits_busy_lanes))) visit(*lane);
  }
}

bool LanePool::release_from_outside(LeaseSlot& slot) noexcept {
  const sync::Deadline deadline = sync::Deadline::after(limits_.lease_wait_max);
  Lane* lane = nullptr;
  for (bool inside = true; inside;) {
    {
      sync::MutexLock lock(mutex_);
      if (abandoned_) return true;
      slot.gate.announce();
      sync::asymmetric_fence_heavy();
      inside = slot.gate.owner_inside() && !HEDDLE_PLANT(lease_ends_over_owner);
      if (!inside) {
        lane = std::exchange(slot.lane, nullptr);
        if (lane != nullptr && closed_) returned_.push_back(std::exchange(lane, nullptr));  // close() commits it
        if (lane != nullptr) ++returning_;
        slot.ended.store(true, sync::relaxed);  // published by withdraw(), or by mutex_ in wait_for_claim()
      }
      if (!closed_) slot.gate.withdraw();  // otherwise refuse() has claimed it for good
      if (inside && (sync::NoWaiting::active() || deadline.passed())) {
        slot.left_to_thread = true;  // that thread may be waiting for this one
        return false;
      }
    }
    if (inside) sync::sleep_for(kRecheck);
  }
  // Here, not by whoever looks for a stream next: the end of a lease says that what was recorded on it is committed.
  if (lane != nullptr) commit_and_give(lane);
  return true;
}

}  // namespace HEDDLE_NS
