// What scenarios begin with.
#pragma once

#include <cstdint>
#include <memory>

#include "heddle/runtime/options.hpp"
#include "heddle/stream/lane.hpp"

namespace heddle::check {

// Of a runtime on the simulated device, whose waiting threads park at once: spinning would only be more to explore.
inline Options simulated() {
  Options options;
  options.device = "sim";
  options.wait = WaitPolicy::kBlock;
  return options;
}

// A stream of its own, without a pool.
inline std::unique_ptr<Lane> make_lane(Device& device, std::uint32_t id) {
  std::unique_ptr<Queue> queue;
  device.create_queue(StreamId{id}, &queue).raise();
  return std::make_unique<Lane>(StreamId{id}, device, std::move(queue), Limits{}, WaitPolicy::kBlock);
}

}  // namespace heddle::check
