// What a LanePool says about itself: its lanes, totals, handlers, who holds what.
#include <fmt/format.h>

#include <algorithm>

#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

LaneTotals LanePool::totals() const {
  LaneTotals totals;
  visit_all([&](Lane& lane) {
    const Ticket completed = lane.completed();
    totals.completed += completed.value;
    totals.failed += lane.queue().failures().failed_tickets(completed);
    totals.abandoned += lane.issued().value - completed.value;
  });
  return totals;
}

HandlerStatistics LanePool::handler_statistics() const {
  HandlerStatistics statistics;
  visit_all([&](Lane& lane) {
    const CompletionLine::Counts counts = lane.completions().counts();
    statistics.registered += counts.registered;
    statistics.run += counts.run;
    statistics.abandoned += counts.abandoned;
    statistics.pending += counts.pending();
  });
  handlers_.add_statistics(statistics);
  return statistics;
}

std::size_t LanePool::lanes() const {
  sync::MutexLock lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane != nullptr; }));
}

bool LanePool::has_work() const noexcept {
  bool any = false;
  visit_all([&](Lane& lane) { any = any || lane.completed() < lane.issued() || !lane.completions().idle(); });
  return any;
}

std::vector<Lane*> LanePool::existing_lanes() const {
  std::vector<Lane*> lanes;
  sync::MutexLock lock(mutex_);
  for (const auto& lane : lanes_) {
    if (lane != nullptr) lanes.push_back(lane.get());
  }
  return lanes;
}

std::string LanePool::holders() const {
  sync::MutexLock lock(mutex_);
  const std::string held = held_locked();
  return held.empty() ? "none" : held;
}

std::string LanePool::busy() const {
  sync::MutexLock lock(mutex_);
  return busy_;
}

std::string LanePool::held_locked() const {
  std::string text;
  for (const auto& slot : slots_) {
    if (slot->lane == nullptr) continue;
    text += fmt::format("{}stream {} by thread {}{}", text.empty() ? "" : ", ", slot->lane->id().value,
                        slot->thread.load(sync::relaxed), slot->revocable() ? " (implicit)" : "");
  }
  return text;
}

}  // namespace HEDDLE_NS
