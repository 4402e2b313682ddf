// Common setup of scenarios.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <new>

#include "heddle/backends/sim/open.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/options.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle_check/scenario.hpp"

namespace heddle::check {

// For a runtime on the simulated device whose waiting threads park immediately: spinning would only add executions.
inline Options simulated() {
  Options options;
  options.device = "sim";
  options.wait = WaitPolicy::kBlock;
  options.streams = options.streams_max = 4;  // few streams, because some counts cover all of them
  return options;
}

// A simulated device that completes lists when a thread waits for them.
inline std::unique_ptr<Device> simulated_device() {
  std::unique_ptr<Device> device;
  open_sim({}, &device).raise();
  return device;
}

inline std::unique_ptr<Queue> make_queue(Device& device, std::uint32_t id = 1) {
  std::unique_ptr<Queue> queue;
  device.create_queue(StreamId{id}, &queue).raise();
  return queue;
}

// A separate stream, without a pool.
inline std::unique_ptr<Lane> make_lane(Device& device, std::uint32_t id) {
  return std::make_unique<Lane>(StreamId{id}, device, make_queue(device, id), Limits{}, WaitPolicy::kBlock);
}

// A list that writes 1.0.
inline void submit_fill(Device& device, Queue& queue, std::uint64_t ticket, float* out) {
  CommandList list;
  list.append(KernelId::kFill, FillArgs{out, 1, 0x3F800000});
  device.submit(queue, std::move(list), Ticket{ticket}, SubmitHint::kAsynchronous).raise();
}

// Retries once if the host had no memory, which changes nothing. For scenarios with one such failure.
template <class Call>
void with_memory(Call call) {
  try {
    call();
  } catch (const std::bad_alloc&) {
    call();
  }
}

// A deadline that passes when the scenario's choices allow it: the clock stands still otherwise.
inline constexpr std::chrono::milliseconds kSoon{1};

// A deadline that never passes.
inline constexpr sync::Duration kForEver = sync::Duration::max();

// For scenarios whose every order is explored: each irregular event of a wait, at most once per execution.
inline heddle_check::Limits all_choices() {
  return {
      .timeout_mode = heddle_check::Timeouts::kChoice, .timeouts = 1, .spurious_wakeups = 1, .clock_is_visible = true};
}

}  // namespace heddle::check
