// The public door: include this.
#pragma once

#include "heddle/base/error.hpp"
#include "heddle/ops/custom.hpp"
#include "heddle/ops/ops.hpp"
#include "heddle/runtime/runtime.hpp"
#include "heddle/tensor/timing_event.hpp"
