// The public door: include this.
#pragma once

#include "heddle/base/error.hpp"
#include "heddle/ops/ops.hpp"
#include "heddle/runtime/runtime.hpp"
