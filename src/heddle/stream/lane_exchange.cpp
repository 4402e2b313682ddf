#include "heddle/stream/lane_exchange.hpp"

#include <utility>
#include <vector>

#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

// Idle leases that are revoked beyond what is asked for: taking one later costs no fence then.
constexpr std::size_t kSpareRevoked = 8;

}  // namespace

Lane* LaneExchange::take_free(bool may_have_main) noexcept {
  if (may_have_main) {
    if (!lanes_.main().exists()) return nullptr;  // it is still to be created, for this thread
    if (Lane* const lane = lanes_.main().take()) return lane;
  }
  return waiters_.empty() ? lanes_.take_lowest() : nullptr;
}

void LaneExchange::give(Lane* lane) noexcept {
  lane->set_holder_thread(0);
  if (waiters_.empty() || MainLane::is(*lane) || !lane->idle()) {
    lanes_.place(*lane).set_free();
    return;
  }
  lane->forget_failure();  // an error that nobody collected ended with its lease
  waiters_.hand_over(lane);
}

// One fence, whose cost is the same for one lane and for many, serves all threads that wait now, and the next to come.
void LaneExchange::revoke_idle() noexcept {
  std::size_t most = waiters_.size() + kSpareRevoked;
  for (const auto& slot : leases_) {
    if (slot->revocable()) slot->gate.announce();
  }
  sync::asymmetric_fence_heavy();
  for (const auto& slot : leases_) {
    if (!slot->revocable()) continue;
    bool inside = slot->gate.owner_inside();
    if (HEDDLE_PLANT(pool_revokes_over_owner)) inside = false;
    if (most != 0 && !inside && slot->lane != nullptr && !MainLane::is(*slot->lane) && slot->lane->transferable()) {
      give(std::exchange(slot->lane, nullptr));
      --most;
    }
    slot->gate.withdraw();
  }
}

bool LaneExchange::any_returning(bool may_have_main) const noexcept {
  return returned_.commits() || (may_have_main && lanes_.main().is_free()) || lanes_.any_worker_free();
}

bool LaneExchange::caller_holds_all(bool may_have_main) const noexcept {
  return leases_.kept_by_caller(may_have_main) == lanes_.workers() + (may_have_main ? 1 : 0);
}

void LaneExchange::visit_idle(const std::function<void(Lane&)>& visit, bool for_good) {
  std::vector<bool> busy(lanes_.places());
  leases_.announce_all();
  struct Withdraw {
    const LeaseTable& leases;
    const bool for_good;
    ~Withdraw() {
      if (for_good) return;
      for (const auto& slot : leases) slot->gate.withdraw();
    }
  } const withdraw{leases_, for_good};
  sync::asymmetric_fence_heavy();
  for (const auto& slot : leases_) {
    if (slot->lane != nullptr && slot->gate.owner_inside()) busy[slot->lane->id().value] = true;
  }
  if (HEDDLE_PLANT(pool_visits_busy_lanes)) busy.assign(busy.size(), false);
  lanes_.visit([&](Lane& lane) {
    if (!busy[lane.id().value]) visit(lane);
  });
}

bool LaneExchange::take_all() noexcept {
  sync::asymmetric_fence_heavy();
  bool all_taken = !returned_.commits();
  for (const auto& slot : leases_) {
    bool inside = slot->gate.owner_inside();
    if (HEDDLE_PLANT(pool_closes_over_owner)) inside = false;
    if (inside) {
      all_taken = false;  // and its gate stays claimed: its thread is out before the next look, and for good
      continue;
    }
    if (slot->lane != nullptr) returned_.add(std::exchange(slot->lane, nullptr));
    slot->gate.withdraw();
  }
  return all_taken;
}

}  // namespace HEDDLE_NS
