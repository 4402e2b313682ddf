// The end of a LanePool: what leases leave behind is committed and awaited, or given up.
#include <utility>

#include "heddle/stream/lane_pool.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

// False where host memory ran out; nothing is lost then.
bool commit_at_end(Lane& lane) noexcept {
  try {
    lane.commit_at_end();
  } catch (...) {
    return false;
  }
  return true;
}

}  // namespace

void LanePool::commit_returned() noexcept {
  while (true) {
    Lane* lane = nullptr;
    {
      sync::MutexLock lock(mutex_);
      if (returned_.empty() || closed_) return;
      lane = returned_.back();
      returned_.pop_back();
      ++returning_;
    }
    const bool committed = commit_at_end(*lane);
    sync::MutexLock lock(mutex_);
    --returning_;
    if (!committed) {
      returned_.push_back(lane);
      return;
    }
    give(lane);
  }
}

bool LanePool::close(sync::Deadline deadline) {
  bool all_taken = false;
  bool done = true;
  while (true) {
    std::vector<Lane*> taken;
    {
      sync::MutexLock lock(mutex_);
      closed_ = true;
      taken.reserve(lanes_.size());  // first: nothing may throw while gates are claimed
      taken.insert(taken.end(), returned_.begin(), returned_.end());
      returned_.clear();  // it keeps its room, which release() counts on
      if (!HEDDLE_PLANT(pool_closes_without_waking)) {
        for (Waiter* waiter : waiters_) waiter->given.notify_one();
      }
      for (const auto& slot : slots_) slot->gate.announce();
      sync::asymmetric_fence_heavy();
      all_taken = returning_ == 0;
      for (const auto& slot : slots_) {
        if (slot->gate.owner_inside() && !HEDDLE_PLANT(pool_closes_over_owner)) {
          all_taken = false;  // and its gate stays claimed: its thread is out before the next look, and for good
          continue;
        }
        if (slot->lane != nullptr) taken.push_back(std::exchange(slot->lane, nullptr));
        slot->gate.withdraw();
      }
    }
    for (Lane* lane : taken) done = commit_at_end(*lane) && done;
    if (all_taken || deadline.passed()) break;
    sync::sleep_for(kRecheck);
  }
  done = done && all_taken;
  for (Lane* lane : existing_lanes()) done = lane->wait(lane->committed(), deadline, Helping::kIfNeeded) && done;
  sync::MutexLock lock(mutex_);
  // Now: abandon() wakes them, and they leave.
  if (!all_taken) busy_ = held_locked();
  return done;
}

bool LanePool::stop_handlers(sync::Deadline deadline) {
  std::vector<CompletionLine*> lines;
  for (Lane* lane : existing_lanes()) lines.push_back(&lane->completions());
  return handlers_.stop(lines, deadline);
}

void LanePool::abandon() noexcept {
  sync::MutexLock lock(mutex_);
  abandoned_ = true;
  for (const auto& slot : slots_) slot->gate.announce();  // never withdrawn
  sync::asymmetric_fence_heavy();
  for (const auto& lane : lanes_) {
    if (lane != nullptr) lane->abandon();
  }
}

}  // namespace HEDDLE_NS
