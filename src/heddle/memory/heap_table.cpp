#include "heddle/memory/heap_table.hpp"

#include <algorithm>

#include "heddle/memory/free_ledger.hpp"

namespace HEDDLE_NS {

Heap& HeapTable::make(Lane& lane, DeviceMemory* memory) {
  Entry& entry = heaps_[lane.id().value];
  Heap* heap = entry.load(sync::relaxed);
  if (heap == nullptr) {
    heap = new Heap(&lane, memory);
    entry.store(heap, sync::release);  // counterpart: find() and visit()
    size_.fetch_add(1, sync::relaxed);
  }
  return *heap;
}

std::size_t HeapTable::rounded_now(const FreeLedger& ledger) const noexcept {
  const FreedCounts freed = ledger.freed();  // first: each of these was allocated before
  std::size_t rounded = 0;
  visit([&](std::size_t, const Heap& heap) { rounded += heap.counters().sums().rounded; });
  return rounded - freed.rounded;
}

std::size_t HeapTable::rounded_at_least(const FreeLedger& ledger) const noexcept {
  std::size_t allocated = 0;
  std::size_t freed = 0;
  visit([&](std::size_t, const Heap& heap) { allocated += heap.counters().rounded_allocated(); });
  visit([&](std::size_t, const Heap& heap) { freed += heap.counters().rounded_freed(); });
  freed += ledger.freed().rounded;
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(allocated - freed)));
}

}  // namespace HEDDLE_NS
