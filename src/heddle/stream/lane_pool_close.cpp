// The end of a LanePool: what leases leave behind is committed and awaited, or given up.
#include <utility>

#include "heddle/stream/inside_handler.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/thread_leases.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

// Where host memory runs out in a commit at the end, it may come back within so many looks.
constexpr int kMostCommitsRefused = 20;

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
    if (!commit_and_give(lane)) return;
  }
}

bool LanePool::commit_and_give(Lane* lane) noexcept {
  const bool committed = commit_at_end(*lane);
  sync::MutexLock lock(mutex_);
  --returning_;
  if (committed) {
    give(lane);
  } else {
    returned_.push_back(lane);
  }
  return committed;
}

void LanePool::refuse_locked() noexcept {
  closed_ = true;
  if (!HEDDLE_PLANT(pool_closes_without_waking)) {
    for (Waiter* waiter : waiters_) waiter->given.notify_one();
  }
  if (HEDDLE_PLANT(pool_refuses_newcomers_only)) return;
  for (const auto& slot : slots_) slot->gate.announce();
}

void LanePool::refuse() noexcept {
  sync::MutexLock lock(mutex_);
  // The gates stay claimed: who comes to one looks here, and leaves. Who does not see that yet records once more.
  refuse_locked();
}

bool LanePool::take_all() noexcept {
  sync::asymmetric_fence_heavy();
  bool all_taken = returning_ == 0;
  for (const auto& slot : slots_) {
    if (slot->gate.owner_inside() && !HEDDLE_PLANT(pool_closes_over_owner)) {
      all_taken = false;  // and its gate stays claimed: its thread is out before the next look, and for good
      continue;
    }
    if (slot->lane != nullptr) returned_.push_back(std::exchange(slot->lane, nullptr));
    slot->gate.withdraw();
  }
  return all_taken;
}

bool LanePool::commit_taken() noexcept {
  while (true) {
    Lane* lane = nullptr;
    {
      sync::MutexLock lock(mutex_);
      if (returned_.empty()) return true;
      lane = returned_.back();
      returned_.pop_back();  // it keeps its room, which release() counts on
    }
    if (commit_at_end(*lane)) continue;
    sync::MutexLock lock(mutex_);
    returned_.push_back(lane);
    return false;
  }
}

bool LanePool::wait_for_all(sync::Deadline deadline) {
  bool done = true;
  for (std::size_t id = 0;; ++id) {
    Lane* lane = nullptr;
    {
      sync::MutexLock lock(mutex_);
      if (id == lanes_.size()) return done;
      lane = lanes_[id].get();
    }
    if (lane != nullptr) done = lane->wait(lane->committed(), deadline, Helping::kIfNeeded) && done;
  }
}

void LanePool::release_ended_lists() noexcept {
  for (std::size_t id = 0;; ++id) {
    Lane* lane = nullptr;
    {
      sync::MutexLock lock(mutex_);
      if (id == lanes_.size()) return;
      lane = lanes_[id].get();
    }
    if (lane != nullptr) lane->queue().release_ended();
  }
}

bool LanePool::close(sync::Deadline deadline) {
  bool all_taken = false;
  bool committed = false;
  for (int commits_refused = 0;;) {
    {
      sync::MutexLock lock(mutex_);
      refuse_locked();
      all_taken = take_all();
    }
    committed = commit_taken();
    if (!committed) ++commits_refused;
    const bool nothing_to_expect = all_taken && (committed || commits_refused >= kMostCommitsRefused);
    if (nothing_to_expect || deadline.passed()) break;
    sync::sleep_for(kRecheck);
  }
  const bool all_done = wait_for_all(deadline) && all_taken && committed;
  sync::MutexLock lock(mutex_);
  // Now: abandon() wakes them, and they leave.
  if (!all_done) busy_ = held_locked();
  return all_done;
}

bool LanePool::stop_handlers(sync::Deadline deadline, sync::Deadline most) {
  std::vector<CompletionLine*> lines;
  {
    sync::MutexLock lock(mutex_);
    lines.swap(stopping_);
    for (const auto& lane : lanes_) {
      if (lane != nullptr) lines.push_back(&lane->completions());
    }
  }
  const bool stopped = handlers_.stop(lines, deadline, most);
  lines.clear();
  sync::MutexLock lock(mutex_);
  lines.swap(stopping_);
  return stopped;
}

bool LanePool::waits_for_this_thread() const noexcept {
  const ThreadLeases* const leases = thread_leases_if_any();
  return InsideHandler::of(handlers_) || (leases != nullptr && leases->inside_call(id_));
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
