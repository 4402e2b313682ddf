// What a device's memory is used for, in bytes.
//
// rounded + cached + pending = reserved while nothing is under way; between threads that allocate and free, each figure
// is of a slightly different moment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS {

struct MemoryStatistics {
  std::size_t limit = 0;     // the budget's hard limit
  std::size_t reserved = 0;  // obtained from the device; never above limit
  std::size_t reserved_peak = 0;
  std::size_t live = 0;          // bytes asked for by blocks in use
  std::size_t rounded = 0;       // what those blocks occupy
  std::size_t rounded_peak = 0;  // as seen when memory was obtained, and now
  std::size_t cached = 0;        // free: in heaps, in the depot, or on its way to its heap
  std::size_t reclaimable = 0;   // the part of it that is in the depot, ready for any stream
  std::size_t pending = 0;       // freed, but a stream other than its own still uses it
  std::size_t live_blocks = 0;
  std::uint64_t allocations = 0;
  std::uint64_t frees_elsewhere = 0;    // by threads that did not hold the block's stream
  std::uint64_t segments_obtained = 0;  // calls to the device
  std::uint64_t segments_released = 0;
  std::uint64_t out_of_memory = 0;  // allocations that failed
};

}  // namespace HEDDLE_NS
