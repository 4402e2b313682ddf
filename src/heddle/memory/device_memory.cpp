#include "heddle/memory/device_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

struct DeviceMemory::ExternalBlock : Block {
  // Of the thread that registers the handler which is to end it, and that handler: the second goes on.
  sync::Atomic<bool> let_go{false};
  std::function<void()> deleter;
};

DeviceMemory::DeviceMemory(PageSource& pages, LanePool& pool, const MemoryOptions& options)
    : pool_(pool),
      pool_id_(pool.id()),
      budget_(options.limit, options.high, options.low),
      counted_(pages),
      limited_(counted_, budget_),
      segments_(limited_),
      ledger_(std::make_shared<FreeLedger>()),
      heaps_max_(pool.streams_max() + std::size_t{1}),
      heaps_(new sync::Atomic<Heap*>[heaps_max_]()) {
  external_.memory = this;
}

DeviceMemory::~DeviceMemory() {
  HEDDLE_CHECK(statistics().live_blocks == 0, "device memory destroyed while blocks are live");
  ledger_->close();
  for (std::size_t id = 0; id < heaps_max_; ++id) delete heaps_[id].load(sync::acquire);
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
                                report(&lane), rungs_.text(), kAdvice));
}

Block* DeviceMemory::try_slowly(Lane& lane, std::size_t bytes) {
  Block* block = nullptr;
  if (can_ever_hold(bytes)) {
    const Moving moving(*this);
    Heap& heap = heap_of(lane);
    ledger_->flush_own();
    block = search(heap, bytes);
    if (block == nullptr) block = climb(heap, bytes);
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
  if (block->is_external) return free_external(static_cast<ExternalBlock*>(block));
  const std::size_t requested = block->requested();
  const std::size_t rounded = Heap::occupied(*block);
  Inbox& inbox = block->run->heap->inbox();
  Outbox* const outbox = ledger_->outbox();
  // Once the block is counted as freed, another thread may destroy this object.
  const std::shared_ptr<FreeLedger> kept = outbox == nullptr ? ledger_ : nullptr;
  FreeLedger& ledger = *ledger_;
  if (outbox != nullptr) {
    outbox->add(inbox, block, requested, rounded);
  } else {
    inbox.post({&block, 1});
    ledger.count(requested, rounded);
  }
  static_cast<void>(ledger.settle(outbox));  // drops the owner, if that was the last block
}

Block* DeviceMemory::adopt(void* data, std::size_t bytes, std::function<void()> deleter) {
  static_cast<void>(bytes);
  auto block = std::make_unique<ExternalBlock>();
  block->data = data;
  block->run = &external_;
  block->is_external = true;
  block->deleter = std::move(deleter);
  block->references.store(1, sync::relaxed);
  adopted_.fetch_add(1, sync::relaxed);
  return block.release();
}

// One stream after the other: behind the last of them, the memory is the user's again.
void DeviceMemory::free_external(ExternalBlock* block) noexcept {
  if (block->residency.has_foreign_uses() && !block->residency.settle()) {
    if (ends_behind_use(block)) return;
    // Nobody was told: no host memory, no thread, or the handlers have ended since the first look, which they do behind
    // all streams unless time ran out. Is it too late to try again, then the streams have ended, whatever is noted.
    if (!block->residency.settle() && deferred_.post(block)) return;
  }
  if (block->deleter) {
    sync::assert_no_locks_held("the deleter of external memory");
    block->deleter();
  }
  delete block;
  const std::shared_ptr<FreeLedger> ledger = ledger_;
  ledger->count(0, 0);
  static_cast<void>(ledger->settle(nullptr));
}

bool DeviceMemory::ends_behind_use(ExternalBlock* block) noexcept {
  const StreamUse use = block->residency.first_use();
  if (use.lane == nullptr) return false;  // it has just ended
  block->let_go.store(false, sync::relaxed);
  const auto end = [this, block](const Status& status) {
    // Who registered this is still inside the stream, which may go with the last block: it ends the block.
    if (!block->let_go.exchange(true, sync::acq_rel)) return;
    // Abandoned: the streams have not ended. What shut down without them closes nothing, so it stays where it is then.
    if (status.kind() != ErrorKind::kAbandoned || !deferred_.post(block)) free_external(block);
  };
  try {
    if (!use.lane->on_complete(use.ticket, end)) return HEDDLE_PLANT(dropped_memory_trusts_handlers);
  } catch (...) {
    return false;
  }
  return !block->let_go.exchange(true, sync::acq_rel);
}

void DeviceMemory::end_externals(Block* chain) noexcept {
  while (chain != nullptr) free_external(static_cast<ExternalBlock*>(std::exchange(chain, chain->next())));
}

void DeviceMemory::make_shared_constant(Block& block) {
  block.residency.stop_noting(block.run->memory->heaps_max_);
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
  ledger_->flush_all();
  pool_.visit_idle([&](Lane& lane) {
    Heap* const heap = heaps_[lane.id().value].load(sync::acquire);
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
  end_externals(deferred_.close());
  std::uint64_t allocated = adopted_.load(sync::relaxed);
  for (std::size_t id = 0; id < heaps_max_; ++id) {
    if (const Heap* heap = heaps_[id].load(sync::acquire)) {
      const HeapCounters::Sums sums = heap->counters().sums();
      allocated += sums.allocated - sums.freed;
    }
  }
  const std::shared_ptr<FreeLedger> ledger = ledger_;
  static_cast<void>(ledger->retire(allocated, std::move(owner)));
}

std::size_t DeviceMemory::release_cached() {
  const Moving moving(*this);
  reclaim_from_others(false);
  return give_back(budget_.limit());
}

bool DeviceMemory::audit() {
  const std::uint64_t ended = moves_ended_.load(sync::seq_cst);
  ledger_->flush_all();
  std::size_t owned = 0;
  std::size_t visited = 0;
  pool_.visit_idle([&](Lane& lane) {
    Heap* const heap = heaps_[lane.id().value].load(sync::acquire);
    if (heap == nullptr) return;
    heap->collect();
    heap->audit();
    owned += heap->counters().owned.load(sync::relaxed);
    ++visited;
  });
  if (visited != heap_count_.load(sync::relaxed)) return false;
  const Depot::Totals depot = depot_.totals();
  const std::size_t reserved = budget_.reserved();
  if (moves_begun_.load(sync::seq_cst) != ended) return false;
  HEDDLE_CHECK(owned + depot.ready + depot.waiting == reserved, "memory was lost between heaps and depot");
  return true;
}

MemoryStatistics DeviceMemory::statistics() const {
  MemoryStatistics result;
  const FreedCounts freed = ledger_->freed();  // first: each of these was allocated before
  result.frees_elsewhere = freed.blocks;
  result.live_blocks = adopted_.load(sync::relaxed);
  for (std::size_t id = 0; id < heaps_max_; ++id) {
    const Heap* const heap = heaps_[id].load(sync::acquire);
    if (heap == nullptr) continue;
    const HeapCounters::Sums sums = heap->counters().sums();
    result.allocations += sums.allocated;
    result.live_blocks += sums.allocated - sums.freed;
    result.live += sums.requested;
    result.rounded += sums.rounded;
    result.pending += heap->counters().pending.load(sync::relaxed);
  }
  result.live_blocks -= freed.blocks;
  result.live -= freed.requested;
  result.rounded -= freed.rounded;
  const Depot::Totals depot = depot_.totals();
  result.limit = budget_.limit();
  result.reserved = budget_.reserved();
  result.reserved_peak = std::max(result.reserved, budget_.peak());  // raised after the reservation
  result.rounded_peak = std::max(result.rounded, rounded_peak_.load(sync::relaxed));
  const std::size_t used = result.rounded + result.pending;
  result.cached = result.reserved > used ? result.reserved - used : 0;
  result.reclaimable = depot.ready;
  result.segments_released = counted_.released();  // first: each of these was obtained before
  result.segments_obtained = counted_.obtained();
  result.out_of_memory = out_of_memory_.load(sync::relaxed);
  return result;
}

}  // namespace HEDDLE_NS
