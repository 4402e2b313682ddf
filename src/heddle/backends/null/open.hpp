// Opens the null backend: a device that accepts every list and computes nothing. For tests and benchmarks, and the
// template for a new backend (docs/change/adding-a-backend.md).
#pragma once

#include <memory>

#include "heddle/device/device.hpp"

namespace HEDDLE_NS {

Status open_null(std::unique_ptr<Device>* out);

}  // namespace HEDDLE_NS
