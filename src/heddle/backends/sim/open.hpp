// Opens the simulated backend: a deterministic device for tests, with a virtual clock.
#pragma once

#include <cstddef>
#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS {

struct SimOptions {
  // True: a waiting thread runs what it needs (Device::help), so programs run as on the CPU backend. False: nothing
  // runs until the test calls sim::SimDevice::step() or advance().
  bool auto_run = true;
  // False: tickets advance silently, as on devices that write them themselves (DeviceInfo::announces).
  bool announces = true;
  std::size_t memory_bytes = std::size_t{1} << 30;  // segments beyond it are refused
};

Status open_sim(const SimOptions& options, std::unique_ptr<Device>* out);

}  // namespace HEDDLE_NS
