// MemoryParts: where the memory of one device lies, from the device's segments to the heaps of its streams. What the
// ladder moves memory between, and what a report adds up.
//
// Thread safety: as each part says.
#pragma once

#include <cstddef>
#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/budget.hpp"
#include "heddle/memory/depot.hpp"
#include "heddle/memory/free_ledger.hpp"
#include "heddle/memory/heap_table.hpp"
#include "heddle/memory/limit_shares.hpp"
#include "heddle/memory/page_source.hpp"
#include "heddle/memory/segments.hpp"

namespace HEDDLE_NS {

struct MemoryParts {
  MemoryParts(PageSource& pages, std::uint32_t stream_id_max, std::size_t limit, std::size_t high, std::size_t low)
      : budget(limit, high, low),
        counted(pages),
        limited(counted, budget),
        segments(limited),
        ledger(std::make_shared<FreeLedger>()),
        heaps(stream_id_max) {}

  LimitShares shares() const noexcept { return {.limit = budget.limit(), .heaps = heaps.size()}; }

  Budget budget;
  CountedPages counted;
  LimitedPages limited;
  Segments segments;
  Depot depot;
  const std::shared_ptr<FreeLedger> ledger;  // outlives the rest where a thread frees the last block
  HeapTable heaps;
};

}  // namespace HEDDLE_NS
