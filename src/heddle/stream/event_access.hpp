// What the library sees of an Event, and how it makes one.
//
// Thread safety: record_event() and wait_for() are called inside the Recording that gave the lane.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/event.hpp"
#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

struct EventAccess {
  static Event make(std::shared_ptr<LanePool> pool, Lane& lane, Ticket ticket) noexcept {
    return {std::move(pool), lane, ticket};
  }
  // Null for an event that is before everything.
  static Lane* lane(const Event& event) noexcept { return event.pool_ != nullptr ? event.lane_ : nullptr; }
  static const std::shared_ptr<LanePool>& pool(const Event& event) noexcept { return event.pool_; }
};

// Commits, and names the point that was reached.
Event record_event(const std::shared_ptr<LanePool>& pool, Lane& lane);

}  // namespace HEDDLE_NS
