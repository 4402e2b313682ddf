// The error of a list whose custom operation threw.
#pragma once

#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"
#include "heddle/device/command_list.hpp"

namespace HEDDLE_NS {

// kDeviceError with the operation's name and what it threw. REQUIRES: called in the catch block; `command` is kCustom.
Status custom_failure(const CommandView& command) noexcept;

}  // namespace HEDDLE_NS
