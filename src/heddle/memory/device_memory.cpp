#include "heddle/memory/device_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/memory/memory_report.hpp"

namespace HEDDLE_NS {

DeviceMemory::DeviceMemory(PageSource& pages, LanePool& pool, const MemoryOptions& options)
    : pool_(pool),
      pool_id_(pool.id()),
      parts_(pages, pool.streams_max(), options.limit, options.high, options.low),
      ladder_(parts_, pool),
      external_(this, parts_.ledger) {}

DeviceMemory::~DeviceMemory() {
  HEDDLE_CHECK(statistics().live_blocks == 0, "device memory destroyed while blocks are live");
  parts_.ledger->close();
}

Block* DeviceMemory::allocate_slowly(Lane& lane, std::size_t bytes) {
  Block* block = try_slowly(lane, bytes);
  if (block != nullptr) return block;
  constexpr const char* kAdvice = "free tensors, raise the memory limit, or use fewer threads";
  if (!can_ever_hold(bytes)) {
    throw OutOfMemory(fmt::format("{} bytes were asked for on stream {}, more than the limit after rounding; {}; {}",
                                  bytes, lane.id().value, report(&lane), kAdvice));
  }
  throw OutOfMemory(fmt::format("{} bytes were asked for on stream {}; {}; tried: {}; {}", bytes, lane.id().value,
                                report(&lane), ladder_.text(), kAdvice));
}

Block* DeviceMemory::try_slowly(Lane& lane, std::size_t bytes) {
  Block* block = nullptr;
  if (can_ever_hold(bytes)) {
    const MoveCount::Moving moving(moves_);
    Heap& heap = parts_.heaps.make(lane, this);
    parts_.ledger->flush_own();
    block = ladder_.climb(heap, bytes);
  }
  if (block == nullptr) {
    out_of_memory_.fetch_add(1, sync::relaxed);
    return nullptr;
  }
#if HEDDLE_DEBUG_CHECKS
  live_ranges_.add(*block);
#endif
  return block;
}

void DeviceMemory::free_elsewhere(Block* block) noexcept {
  HEDDLE_CHECK(block->run->memory == this, "a block is freed into another memory than its own");
  if (block->references.load(sync::relaxed) != 1) Heap::misused(*block);
  if (block->is_shared_constant) note_all_streams(*block);
  block->references.store(kBlockPosted, sync::relaxed);
  if (block->is_external) return external_.free(block);
  const std::size_t requested = block->requested();
  const std::size_t rounded = Heap::occupied(*block);
  Inbox& inbox = block->run->heap->inbox();
  FreeLedger& ledger = *parts_.ledger;
  Outbox* const outbox = ledger.outbox();
  // Once the block is counted as freed, another thread may destroy this object.
  const std::shared_ptr<FreeLedger> kept = outbox == nullptr ? parts_.ledger : nullptr;
  if (outbox != nullptr) {
    outbox->add(inbox, block, requested, rounded);
  } else {
    inbox.post({&block, 1});
    ledger.count(requested, rounded);
  }
  static_cast<void>(ledger.settle(outbox));  // drops the owner, if that was the last block
}

Block* DeviceMemory::adopt(void* data, std::size_t bytes, std::function<void()> deleter) {
  return external_.adopt(data, bytes, std::move(deleter));
}

void DeviceMemory::make_shared_constant(Block& block) {
  block.residency.stop_noting(block.run->memory->parts_.heaps.places());
  block.is_shared_constant = true;
}

void DeviceMemory::note_all_streams(Block& block) noexcept {
  block.is_shared_constant = false;
  block.residency.start_noting();
  // Noting allocates nothing: make_shared_constant() has made room for every stream that there can be.
  pool_.visit_all([&](Lane& lane) {
    if (&lane != block.residency.home() && lane.completed() < lane.issued()) {
      block.residency.note_use(&lane, lane.issued());
    }
  });
}

std::vector<std::size_t> DeviceMemory::live_sizes(std::size_t most) {
  std::vector<std::size_t> sizes;  // a heap, the least first: the `most` largest so far
  sizes.reserve(most + 1);         // the visitor must not throw
  parts_.ledger->flush_all();
  pool_.visit_idle([&](Lane& lane) {
    Heap* const heap = parts_.heaps.find(lane);
    if (heap == nullptr) return;
    heap->collect();
    heap->visit_live([&](const Block& block) {
      const std::size_t requested = block.word.load(sync::acquire);  // counterpart: Block::set_next
      if (!block.is_live()) return;
      sizes.push_back(requested);
      std::push_heap(sizes.begin(), sizes.end(), std::greater<>());
      if (sizes.size() <= most) return;
      std::pop_heap(sizes.begin(), sizes.end(), std::greater<>());
      sizes.pop_back();
    });
  });
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  return sizes;
}

void DeviceMemory::retire(std::shared_ptr<void> owner) noexcept {
  external_.close();
  std::uint64_t allocated = external_.adopted();
  parts_.heaps.visit([&](std::size_t, const Heap& heap) {
    const HeapCounters::Sums sums = heap.counters().sums();
    allocated += sums.allocated - sums.freed;
  });
  const std::shared_ptr<FreeLedger> ledger = parts_.ledger;
  static_cast<void>(ledger->retire(allocated, std::move(owner)));
}

std::size_t DeviceMemory::release_cached() {
  const MoveCount::Moving moving(moves_);
  ladder_.reclaim().from_others(Reclaim::From::kIdle);
  return ladder_.reclaim().give_back(parts_.budget.limit());
}

bool DeviceMemory::audit() {
  const std::uint64_t ended = moves_.ended();
  parts_.ledger->flush_all();
  std::size_t owned = 0;
  std::size_t visited = 0;
  pool_.visit_idle([&](Lane& lane) {
    Heap* const heap = parts_.heaps.find(lane);
    if (heap == nullptr) return;
    heap->collect();
    heap->audit();
    owned += heap->counters().owned.load(sync::relaxed);
    ++visited;
  });
  if (visited != parts_.heaps.size()) return false;
  const Depot::Totals depot = parts_.depot.totals();
  const std::size_t reserved = parts_.budget.reserved();
  if (!moves_.none_since(ended)) return false;
  HEDDLE_CHECK(owned + depot.ready + depot.waiting == reserved, "memory was lost between heaps and depot");
  return true;
}

MemoryStatistics DeviceMemory::statistics() const {
  MemoryStatistics result = statistics_of(parts_);
  result.live_blocks += external_.adopted();
  result.rounded_peak = std::max(result.rounded, ladder_.rounded_peak());
  result.out_of_memory = out_of_memory_.load(sync::relaxed);
  return result;
}

std::string DeviceMemory::report(const Lane* asking) const { return report_of(parts_, statistics(), asking); }

}  // namespace HEDDLE_NS
