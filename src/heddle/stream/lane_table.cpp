#include "heddle/stream/lane_table.hpp"

#include <algorithm>

#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {

Lane* LanePlace::take() noexcept {
  if (!free_) return nullptr;
  bool idle = lane_->idle();
  if (HEDDLE_PLANT(pool_gives_unfinished)) idle = true;
  if (!idle) return nullptr;
  if (!HEDDLE_PLANT(pool_keeps_taken_free)) free_ = false;
  lane_->forget_failure();  // an error that nobody collected ended with its lease
  return lane_.get();
}

bool MainLane::is_callers() const noexcept {
  if (HEDDLE_PLANT(pool_takes_first_for_main)) return !exists() || sync::is_main_thread();
  return sync::is_main_thread();
}

Lane* LaneTable::take_lowest() noexcept {
  for (LanePlace& place : workers_) {
    if (Lane* const lane = place.take()) return lane;
  }
  return nullptr;
}

bool LaneTable::any_worker_free() const noexcept {
  return std::any_of(workers_.begin(), workers_.end(), [](const LanePlace& place) { return place.is_free(); });
}

std::optional<std::uint32_t> LaneTable::take_refused_id() noexcept {
  if (refused_ids_.empty()) return std::nullopt;
  const std::uint32_t id = refused_ids_.back();
  refused_ids_.pop_back();
  return id;
}

std::uint32_t LaneTable::add_worker() {
  const std::size_t count = workers_.size() + 1;
  refused_ids_.reserve(count);
  sync::require_host_memory();
  workers_.resize(count);
  return static_cast<std::uint32_t>(count);
}

LaneTotals LaneTable::totals() const {
  LaneTotals totals;
  visit([&](Lane& lane) {
    const Ticket completed = lane.completed();
    totals.completed += completed.value;
    totals.failed += lane.queue().failures().failed_tickets(completed);
    totals.abandoned += lane.issued().value - completed.value;
  });
  return totals;
}

void LaneTable::add_handlers(HandlerStatistics& statistics) const {
  visit([&](Lane& lane) {
    const HandlerQueue::Counts counts = lane.completions().counts();
    statistics.registered += counts.registered;
    statistics.run += counts.run;
    statistics.abandoned += counts.abandoned;
    statistics.pending += counts.pending();
  });
}

bool LaneTable::has_work() const noexcept {
  bool any = false;
  visit([&](Lane& lane) { any = any || lane.completed() < lane.issued() || !lane.completions().idle(); });
  return any;
}

}  // namespace HEDDLE_NS
