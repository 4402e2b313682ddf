// Event: a point on one stream's timeline, as a value.
//
// Taken by Runtime::record_event(), which commits what was recorded, so an event never waits for somebody to commit.
// Never reset, never reused, cheap to copy; it keeps what it refers to alive, also past the end of the runtime.
// Thread safety: a value; all const members from any thread.
#pragma once

#include <chrono>
#include <memory>

#include "heddle/base/namespace.hpp"
#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

class Event {
 public:
  Event() = default;  // before everything: always complete; so is one that was moved from
  Event(std::shared_ptr<LanePool> pool, Lane& lane, Ticket ticket)
      : pool_(std::move(pool)), lane_(&lane), ticket_(ticket) {}

  // True once the device has passed it, with or without an error. Throws Forked.
  bool query() const;
  // The error that its stream carried there; ok() before it is complete.
  Status status() const;
  // Waits, then throws the error that the stream carried there, if any. Throws WouldBlock inside a handler, Closed when
  // the runtime shut down first. wait_for: false when `most` passed first.
  void wait() const;
  bool wait_for(std::chrono::nanoseconds most) const;

  Ticket ticket() const noexcept { return ticket_; }
  // For streams that wait. Null for an event that is before everything.
  Lane* lane() const noexcept { return pool_ != nullptr ? lane_ : nullptr; }
  const std::shared_ptr<LanePool>& pool() const noexcept { return pool_; }

 private:
  bool wait_until(sync::Deadline deadline) const;

  std::shared_ptr<LanePool> pool_;  // null: before everything
  Lane* lane_ = nullptr;            // the pool's
  Ticket ticket_;
};

}  // namespace HEDDLE_NS
