// The error of a list one of whose kernels threw: a custom operation anything, ours where host memory ran out.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/device/command_list.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS {

// kDeviceError with the operation's name and what it threw. REQUIRES: called in the catch block.
Status kernel_failure(const CommandView& command) noexcept;

}  // namespace HEDDLE_NS
