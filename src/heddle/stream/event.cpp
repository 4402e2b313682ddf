#include "heddle/event.hpp"

#include "heddle/stream/event_access.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {
namespace {

bool wait_until(const Event& event, sync::Deadline deadline) {
  sync::require_not_forked();
  Lane* const lane = EventAccess::lane(event);
  if (lane == nullptr) return true;
  const Helping helping = deadline.is_never() ? Helping::kYes : Helping::kIfNeeded;
  if (!lane->wait(event.ticket(), deadline, helping)) return false;
  lane->queue().failures().status_of(event.ticket()).raise();
  return true;
}

}  // namespace

Event record_event(const std::shared_ptr<LanePool>& pool, Lane& lane) {
  lane.begin_point();
  lane.commit();
  return EventAccess::make(pool, lane, lane.committed());
}

bool Event::query() const {
  sync::require_not_forked();
  return pool_ == nullptr || lane_->completed() >= ticket_;
}

Status Event::status() const {
  return pool_ != nullptr && query() ? lane_->queue().failures().status_of(ticket_) : Status();
}

void Event::wait() const { wait_until(*this, sync::Deadline::never()); }

bool Event::wait_for(std::chrono::nanoseconds most) const { return wait_until(*this, sync::Deadline::after(most)); }

}  // namespace HEDDLE_NS
