// HostCopy: values on their way from a tensor to the host; what Tensor::to_host_async() returns.
//
// Thread safety: a value; const members from any thread.
#pragma once

#include <memory>
#include <span>

#include "heddle/base/namespace.hpp"
#include "heddle/stream/event.hpp"

namespace HEDDLE_NS {

class HostCopy {
 public:
  HostCopy(Event event, std::shared_ptr<const float> buffer, std::size_t count)
      : event_(std::move(event)), buffer_(std::move(buffer)), count_(count) {}

  // Complete once the values are there.
  const Event& event() const noexcept { return event_; }
  bool ready() const { return event_.query(); }
  // The elements in row-major order; waits for them. Throws the stream's error; WouldBlock inside a handler when they
  // are not there yet. Valid while this object or a copy of it lives. None in an object that was moved from.
  std::span<const float> values() const {
    event_.wait();
    return {buffer_.get(), buffer_ != nullptr ? count_ : 0};
  }

 private:
  Event event_;
  std::shared_ptr<const float> buffer_;
  std::size_t count_;
};

}  // namespace HEDDLE_NS
