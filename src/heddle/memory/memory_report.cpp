#include "heddle/memory/memory_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace HEDDLE_NS {
namespace {

// ": stream 3 holds 2097152 (1024 in use or not yet back), stream 1 ..."
std::string largest_holders(const HeapTable& heaps) {
  constexpr std::size_t kMost = 4;
  struct Holder {
    std::size_t stream, owned, rounded;
  };
  std::vector<Holder> holders;
  heaps.visit([&](std::size_t stream, const Heap& heap) {
    const HeapCounters& counters = heap.counters();
    holders.push_back({stream, counters.owned.load(sync::relaxed), counters.sums().rounded});
  });
  const std::size_t shown = std::min(holders.size(), kMost);
  std::partial_sort(holders.begin(), holders.begin() + static_cast<std::ptrdiff_t>(shown), holders.end(),
                    [](const Holder& a, const Holder& b) { return a.owned > b.owned; });
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("{} stream {} holds {} ({} in use or not yet back)", i == 0 ? "; most:" : ",",
                        holders[i].stream, holders[i].owned, holders[i].rounded);
  }
  return text;
}

}  // namespace

MemoryStatistics statistics_of(const MemoryParts& parts) {
  MemoryStatistics result;
  const FreedCounts freed = parts.ledger->freed();  // first: each of these was allocated before
  result.frees_elsewhere = freed.blocks;
  parts.heaps.visit([&](std::size_t, const Heap& heap) {
    const HeapCounters::Sums sums = heap.counters().sums();
    result.allocations += sums.allocated;
    result.live_blocks += sums.allocated - sums.freed;
    result.live += sums.requested;
    result.rounded += sums.rounded;
    result.pending += heap.counters().pending.load(sync::relaxed);
  });
  result.live_blocks -= freed.blocks;
  result.live -= freed.requested;
  result.rounded -= freed.rounded;
  result.limit = parts.budget.limit();
  result.reserved = parts.budget.reserved();
  result.reserved_peak = std::max(result.reserved, parts.budget.peak());  // raised after the reservation
  const std::size_t used = result.rounded + result.pending;
  result.cached = result.reserved > used ? result.reserved - used : 0;
  result.reclaimable = parts.depot.totals().ready;
  result.segments_released = parts.counted.released();  // first: each of these was obtained before
  result.segments_obtained = parts.counted.obtained();
  return result;
}

std::string report_of(const MemoryParts& parts, const MemoryStatistics& now, const Lane* asking) {
  std::string text = fmt::format(
      "limit {}, reserved {}, in use {} in {} blocks ({} after rounding), free {} (largest span {}), still used by "
      "other streams {}",
      now.limit, now.reserved, now.live, now.live_blocks, now.rounded, now.cached, parts.depot.totals().largest,
      now.pending);
  const Depot::Uncommitted uncommitted = parts.depot.uncommitted(asking);
  if (uncommitted.stream != nullptr) {
    text += fmt::format("; of what is free, {} wait for commands that are not committed, as of stream {}, thread {}",
                        uncommitted.bytes, uncommitted.stream->id().value, uncommitted.stream->holder_thread());
  }
  return text + largest_holders(parts.heaps);
}

}  // namespace HEDDLE_NS
