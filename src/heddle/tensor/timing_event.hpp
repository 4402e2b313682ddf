// TimingEvent: the device's clock at a point of a stream; the difference of two is elapsed device time.
//
//   TimingEvent start(runtime);  ...record work...;  TimingEvent end(runtime);  end.since(start)
//
// Move-only: each has a slot of its own, which the device writes. Thread safety: const members from any thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "heddle/base/namespace.hpp"
#include "heddle/stream/event.hpp"
#include "heddle/tensor/tensor.hpp"

namespace HEDDLE_NS {

class TimingEvent {
 public:
  // Records itself on the calling thread's stream and commits. Throws as operations do.
  explicit TimingEvent(Core& core);
  TimingEvent(TimingEvent&&) noexcept = default;
  TimingEvent& operator=(TimingEvent&&) noexcept = default;
  TimingEvent(const TimingEvent&) = delete;
  TimingEvent& operator=(const TimingEvent&) = delete;

  const Event& event() const noexcept { return event_; }
  // Time on the device from `earlier` to this one; waits for both. Negative when they were passed in the other order.
  // Throws InvalidArgument for two runtimes or an object that was moved from, the stream's error, WouldBlock inside a
  // handler while one is not complete.
  std::chrono::nanoseconds since(const TimingEvent& earlier) const;

 private:
  std::uint64_t nanoseconds() const;

  Tensor slot_;  // 8 bytes
  Event event_;
};

}  // namespace HEDDLE_NS
