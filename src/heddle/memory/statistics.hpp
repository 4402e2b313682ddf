// What a device's memory is used for, in bytes.
//
// In each snapshot rounded + cached + pending <= reserved; they differ only while an allocation or a return to the
// device is under way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS {

struct MemoryStatistics {
  std::size_t limit = 0;     // the budget's hard limit
  std::size_t reserved = 0;  // obtained from the device; never above limit
  std::size_t reserved_peak = 0;
  std::size_t live = 0;     // bytes asked for by blocks in use
  std::size_t rounded = 0;  // what those blocks occupy
  std::size_t rounded_peak = 0;
  std::size_t cached = 0;   // free now
  std::size_t pending = 0;  // freed, but a stream may still use it
  std::size_t live_blocks = 0;
  std::uint64_t allocations = 0;
  std::uint64_t segments_obtained = 0;  // calls to the device
  std::uint64_t out_of_memory = 0;      // allocations that failed
};

}  // namespace HEDDLE_NS
