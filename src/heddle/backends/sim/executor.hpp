// The few kernels that the simulated device really computes; enough to see order in results.
//
// Thread safety: a free function without state.
#pragma once

#include "heddle/base/namespace.hpp"
#include "heddle/device/command_list.hpp"

namespace HEDDLE_NS::sim {

// fill, copy_bytes, advance, and contiguous (rank 0 or 1, strides 1 or 0) copy, relu, add. Everything else, strided
// operands included, counts as executed and writes nothing.
void execute(const CommandView& command);

}  // namespace HEDDLE_NS::sim
