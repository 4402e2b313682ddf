#include "heddle/memory/heap_counters.hpp"

namespace HEDDLE_NS {

HeapCounters::Sums HeapCounters::sums() const noexcept {
  Sums sums;
  for (std::size_t index = 0; index < blocks.size(); ++index) {
    const std::uint64_t freed = blocks[index].freed.load(sync::acquire);  // first: each of these was allocated before
    const std::uint64_t allocated = blocks[index].allocated.load(sync::relaxed);
    sums.allocated += allocated;
    sums.freed += freed;
    if (index < kSizeClasses) sums.rounded += (allocated - freed) * class_bytes(index);
  }
  sums.requested -= requested_freed.load(sync::acquire);
  sums.requested += requested_allocated.load(sync::relaxed);
  sums.rounded -= spans_freed.load(sync::acquire);
  sums.rounded += spans_allocated.load(sync::relaxed);
  return sums;
}

std::size_t HeapCounters::rounded_allocated() const noexcept {
  std::size_t bytes = spans_allocated.load(sync::relaxed);
  for (std::size_t index = 0; index < kSizeClasses; ++index) {
    bytes += blocks[index].allocated.load(sync::relaxed) * class_bytes(index);
  }
  return bytes;
}

std::size_t HeapCounters::rounded_freed() const noexcept {
  std::size_t bytes = spans_freed.load(sync::acquire);
  for (std::size_t index = 0; index < kSizeClasses; ++index) {
    bytes += blocks[index].freed.load(sync::acquire) * class_bytes(index);
  }
  return bytes;
}

}  // namespace HEDDLE_NS
