// The few kernels that the simulated device really computes; enough to see order in results.
//
// Thread safety: a free function without state.
#pragma once

#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/command_list.hpp"

namespace HEDDLE_NS::sim {

// `command` of `list`: fill, upload, copy_bytes, advance, stack, and contiguous (rank 0 or 1, strides 1 or 0) copies
// and elementwise functions. Everything else, strided operands included, counts as executed and writes nothing. A
// timestamp is the virtual time; a custom operation runs, and throws what it throws.
void execute(const CommandView& command, const CommandList& list, std::uint64_t now_ns);

}  // namespace HEDDLE_NS::sim
