// What the memory of a device is used for, as figures and as one line of an error text.
//
// Thread safety: all functions. Each figure is of a slightly different moment (memory/statistics.hpp).
#pragma once

#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/memory_parts.hpp"
#include "heddle/statistics.hpp"

namespace HEDDLE_NS {

// Of what lies in the parts: external blocks and failed allocations are counted elsewhere.
MemoryStatistics statistics_of(const MemoryParts& parts);

// One line: limit, reserved, in use, free, still used by other streams; what streams other than `asking` hold back by
// not committing; then which streams hold most.
std::string report_of(const MemoryParts& parts, const MemoryStatistics& now, const Lane* asking);

}  // namespace HEDDLE_NS
