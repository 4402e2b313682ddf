// Event: a point on one stream's timeline, as a value. TimingEvent: the device's clock at such a point.
//
// Taken by Runtime::record_event(), which commits what was recorded, so an event never waits for somebody to commit.
// Never reset, never reused, cheap to copy; it keeps what it refers to alive, also past the end of the runtime.
// Thread safety: a value; all const members from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

class Core;
class Lane;
class LanePool;
class Tensor;

class HEDDLE_API Event {
 public:
  Event() = default;  // before everything: always complete; so is one that was moved from

  // True once the device has passed it, with or without an error. Throws Forked.
  bool query() const;
  // The error that its stream carried there; ok() before it is complete.
  Status status() const;
  // Waits, then throws the error that the stream carried there, if any. Throws WouldBlock inside a handler, Closed when
  // the runtime shut down first. wait_for: false when `most` passed first.
  void wait() const;
  bool wait_for(std::chrono::nanoseconds most) const;

  Ticket ticket() const noexcept { return ticket_; }

 private:
  friend struct EventAccess;
  Event(std::shared_ptr<LanePool> pool, Lane& lane, Ticket ticket) noexcept
      : pool_(std::move(pool)), lane_(&lane), ticket_(ticket) {}

  std::shared_ptr<LanePool> pool_;  // null: before everything
  Lane* lane_ = nullptr;            // the pool's
  Ticket ticket_;
};

// The difference of two is elapsed device time:
//
//   TimingEvent start(runtime);  ...record work...;  TimingEvent end(runtime);  end.since(start)
//
// Move-only: each has memory of its own, which the device writes. Thread safety: const members from any thread.
class HEDDLE_API TimingEvent {
 public:
  // Records itself on the calling thread's stream and commits. Throws as operations do.
  explicit TimingEvent(Core& core);
  ~TimingEvent();
  TimingEvent(TimingEvent&&) noexcept;
  TimingEvent& operator=(TimingEvent&&) noexcept;
  TimingEvent(const TimingEvent&) = delete;
  TimingEvent& operator=(const TimingEvent&) = delete;

  const Event& event() const noexcept { return event_; }
  // Time on the device from `earlier` to this one; waits for both. Negative when they were passed in the other order.
  // Throws InvalidArgument for two runtimes or an object that was moved from, the stream's error, WouldBlock inside a
  // handler while one is not complete.
  std::chrono::nanoseconds since(const TimingEvent& earlier) const;

 private:
  std::unique_ptr<const Tensor> slot_;  // 8 bytes; null: moved from
  Event event_;
};

}  // namespace HEDDLE_NS
