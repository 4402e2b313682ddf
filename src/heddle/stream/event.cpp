#include "heddle/stream/event.hpp"

namespace HEDDLE_NS {

bool Event::query() const {
  sync::require_not_forked();
  return pool_ == nullptr || lane_->completed() >= ticket_;
}

Status Event::status() const {
  return pool_ != nullptr && query() ? lane_->queue().failures().status_of(ticket_) : Status();
}

bool Event::wait_until(sync::Deadline deadline) const {
  sync::require_not_forked();
  if (pool_ == nullptr) return true;
  const Helping helping = deadline.is_never() ? Helping::kYes : Helping::kIfNeeded;
  if (!lane_->wait(ticket_, deadline, helping)) return false;
  lane_->queue().failures().status_of(ticket_).raise();
  return true;
}

void Event::wait() const { wait_until(sync::Deadline::never()); }

bool Event::wait_for(std::chrono::nanoseconds most) const { return wait_until(sync::Deadline::after(most)); }

}  // namespace HEDDLE_NS
