// Opens the device that the options name.
#pragma once

#include <memory>

#include "heddle/base/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/runtime/lifecycle.hpp"
#include "heddle/runtime/options.hpp"

namespace HEDDLE_NS {

// Fills every open field from the environment, then from the defaults. Throws InvalidArgument.
Options resolve(Options options);

// REQUIRES: resolved options. Throws InvalidArgument for a device that this build does not know, naming those it knows.
std::unique_ptr<Device> open_device(const Options& options);

// Which library of kernels that device uses. REQUIRES: resolved options.
KernelLibrary kernel_library(const Options& options) noexcept;

}  // namespace HEDDLE_NS
