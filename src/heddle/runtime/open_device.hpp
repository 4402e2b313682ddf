// From Options to an open device and to what the layers below take. Every default is decided here, once: by resolve(),
// or by core_options() where it depends on the device.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/options.hpp"
#include "heddle/runtime/lifecycle.hpp"
#include "heddle/tensor/core.hpp"

namespace HEDDLE_NS {

// Fills every open field from the environment, then from the defaults; the memory's, which depend on the device, are
// then 0 or what is asked for. Throws InvalidArgument.
Options resolve(Options options);

// REQUIRES: resolved options. Throws InvalidArgument for a device that this build does not know, naming those it knows.
std::unique_ptr<Device> open_device(const Options& options);

// REQUIRES: resolved options, and the device that they name. Throws InvalidArgument for an amount of memory that this
// device does not have, and Unsupported where it does not say how much it has and none is asked for.
CoreOptions core_options(const Options& options, const DeviceInfo& device);

// Which library of kernels that device uses. REQUIRES: resolved options.
KernelLibrary kernel_library(const Options& options) noexcept;

}  // namespace HEDDLE_NS
