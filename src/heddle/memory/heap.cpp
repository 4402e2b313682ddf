#include "heddle/memory/heap.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "heddle/base/check.hpp"

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

Heap::Heap(Lane* home, DeviceMemory* memory) : home_(home), memory_(memory) {
  none_.index = std::numeric_limits<std::uint32_t>::max();
  first_.fill(&none_);
  for (Run* run : {&spans_staying_, &spans_roaming_}) {
    run->size_class = kSizeClasses;
    run->is_slow = true;
    run->heap = this;
    run->memory = memory;
  }
  spans_roaming_.is_roaming = true;
}

Heap::~Heap() {
  for (Runs& runs : runs_) {
    for (auto& run : runs) {
      if (run != nullptr) destroy(*run);
    }
  }
}

void Heap::destroy(Run& run) noexcept { delete[] std::exchange(run.blocks, nullptr); }

void Heap::find_first(std::size_t kind) noexcept {
  // All runs below the one that was first are full.
  const Runs& runs = runs_[kind];
  forecast_.note(occupied_);
  for (std::size_t index = first_[kind]->index + std::size_t{1}; index < runs.size(); ++index) {
    if (runs[index] == nullptr || runs[index]->free == 0) continue;
    first_[kind] = runs[index].get();
    return;
  }
  first_[kind] = &none_;
}

std::size_t Heap::occupied(const Block& block) noexcept {
  return block.run->slot_bytes != 0 ? block.run->slot_bytes : static_cast<const SpanBlock&>(block).bytes;
}

void Heap::put(Block* block) noexcept {
  if (block->run->slot_bytes != 0) return put_slot(block);
  auto* const span = static_cast<SpanBlock*>(block);
  occupied_ -= span->bytes;
  spans_[span->run->is_roaming].give(static_cast<std::byte*>(span->data), span->bytes);
  span->references.store(kBlockFree, sync::relaxed);
  span->set_next(std::exchange(unused_span_blocks_, span));
}

bool Heap::settle(Block* block) noexcept {
  if (block->residency.has_foreign_uses() && !block->residency.settle()) {
    block->references.store(kBlockPending, sync::relaxed);
    block->set_next(std::exchange(pending_, block));
    return false;
  }
  put(block);
  return true;
}

void Heap::give_slowly(Block* block) noexcept {
  const std::size_t bytes = occupied(*block);
  const bool is_roaming = block->run->is_roaming;
  const RoamingSites::Site site = block->site;
  if (block->run->slot_bytes == 0) HeapCounters::add_freed(counters_.spans_freed, bytes);
  if (!settle(block)) {
    sites_.left(site);  // when it becomes free is another stream's matter
    HeapCounters::add(counters_.pending, bytes);
  } else if (is_roaming) {
    sites_.stayed(site);
  }
}

void Heap::begin_list(std::uint64_t list) noexcept {
  list_ = list;
  ordinal_ = {};
  forecast_.begin_list(occupied_);
  if (!inbox_.empty()) collect();
}

bool Heap::collect() noexcept {
  bool any = false;
  for (Block* pending = std::exchange(pending_, nullptr); pending != nullptr;) {
    Block* const block = std::exchange(pending, pending->next());
    const std::size_t bytes = occupied(*block);
    if (!settle(block)) continue;
    HeapCounters::add(counters_.pending, std::size_t{0} - bytes);
    any = true;
  }
  for (Block* posted = inbox_.take_all(); posted != nullptr;) {
    Inbox::prefetch_next(*posted);
    Block* const block = std::exchange(posted, posted->next());
    sites_.left(block->site);
    const std::size_t bytes = occupied(*block);
    if (settle(block)) {
      any = true;
    } else {
      HeapCounters::add(counters_.pending, bytes);
    }
  }
  return any;
}

Block* Heap::start_span(std::byte* base, std::size_t occupied, std::size_t bytes, RoamingSites::Site site) noexcept {
  auto* const block = static_cast<SpanBlock*>(std::exchange(unused_span_blocks_, unused_span_blocks_->next()));
  block->data = base;
  block->bytes = occupied;
  block->run = sites_.roams(site) ? &spans_roaming_ : &spans_staying_;
  HeapCounters::add(counters_.spans_allocated, occupied);
  occupied_ += occupied;
  forecast_.note(occupied_);
  start(*block, bytes, kSizeClasses, site);
  return block;
}

Block* Heap::take_span_again(std::size_t bytes, std::uint64_t list) noexcept {
  if (bytes > kLargestBlock || unused_span_blocks_ == nullptr) return nullptr;
  const RoamingSites::Site site = next_site(site_class(bytes), list);
  const std::size_t occupied = span_bytes(bytes);
  std::byte* const base = spans_[sites_.roams(site)].take_again(occupied);
  return base != nullptr ? start_span(base, occupied, bytes, site) : nullptr;
}

Block* Heap::take_span(std::size_t bytes, std::uint64_t list) {
  const RoamingSites::Site site = next_site(site_class(bytes), list);
  if (unused_span_blocks_ == nullptr) {
    span_blocks_.push_back(std::make_unique<std::array<SpanBlock, 16>>());
    for (SpanBlock& block : *span_blocks_.back()) block.set_next(std::exchange(unused_span_blocks_, &block));
  }
  const std::size_t occupied = span_bytes(bytes);
  std::byte* const base = spans_[sites_.roams(site)].take(occupied);
  return base != nullptr ? start_span(base, occupied, bytes, site) : nullptr;
}

Block* Heap::take_slowly(std::size_t bytes, std::uint64_t list, std::size_t run_bytes_max) {
  if (bytes > kLargestSlot) return take_span(bytes, list);
  if (Block* block = take(bytes, list)) return block;
  const std::size_t kind = size_class(bytes) + (roams(bytes, list) ? kSizeClasses : 0);
  if (!make_run(kind, run_bytes_max)) return nullptr;
  return take(bytes, list);
}

bool Heap::roams(std::size_t bytes, std::uint64_t list) noexcept {
  return sites_.roams(next_site(site_class(bytes), list));
}

void Heap::visit_live(const std::function<void(const Block&)>& visit) const {
  for (const Runs& runs : runs_) {
    for (const auto& run : runs) {
      if (run == nullptr) continue;
      for (int slot = 0; slot < std::popcount(run->all); ++slot) {
        if (run->blocks[slot].is_live()) visit(run->blocks[slot]);
      }
    }
  }
  for (const auto& chunk : span_blocks_) {
    for (const Block& block : *chunk) {
      if (block.is_live()) visit(block);
    }
  }
}

std::size_t Heap::free_bytes() const noexcept {
  std::size_t bytes = spans_[0].bytes() + spans_[1].bytes();
  for (const Runs& runs : runs_) {
    for (const auto& run : runs) {
      if (run != nullptr) bytes += run->slot_bytes * static_cast<std::size_t>(std::popcount(run->free));
    }
  }
  return bytes;
}

void Heap::audit() const {
  std::size_t bytes = spans_[0].bytes() + spans_[1].bytes();
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const Run* first = &none_;
    for (const auto& run : runs_[kind]) {
      if (run == nullptr) continue;
      if (run->free != 0 && run->index < first->index) first = run.get();
      HEDDLE_CHECK((run->free & ~run->all) == 0, "a run has free slots that do not exist");
      for (int slot = 0; slot < std::popcount(run->all); ++slot) {
        const bool is_free = run->blocks[slot].references.load(sync::relaxed) == kBlockFree;
        HEDDLE_CHECK(is_free == ((run->free >> slot & 1) != 0), "a block's state and its run's bit differ");
      }
      bytes += run->bytes();
    }
    HEDDLE_CHECK(first_[kind] == first, "the first free slot of a class is not the lowest");
  }
  for (const auto& chunk : span_blocks_) {
    for (const SpanBlock& block : *chunk) {
      if (block.references.load(sync::relaxed) != kBlockFree) bytes += block.bytes;
    }
  }
  HEDDLE_CHECK(bytes == counters_.owned.load(sync::relaxed), "a heap lost or found memory");
  HEDDLE_CHECK(bytes - free_bytes() == occupied_, "blocks that are not free are not as many bytes as were counted");
}

void Heap::misused(const Block& block) noexcept {
  const char* what = "a block was freed while others refer to it";
  const std::uint32_t references = block.references.load(sync::relaxed);
  if (references == kBlockFree) what = "a block was freed twice, or its handle is stale: it is free";
  if (references == kBlockPosted) what = "a block was freed twice: another thread gave it back before";
  if (references == kBlockPending) what = "a block was freed twice: it is free but for other streams' uses";
  check_failed("references == 1", what, __FILE__, __LINE__);
}

}  // namespace HEDDLE_NS
