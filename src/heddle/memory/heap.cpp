#include "heddle/memory/heap.hpp"

#include <utility>

#include "heddle/base/check.hpp"

namespace HEDDLE_NS {

Heap::Heap(Lane* home, DeviceMemory* memory) : home_(home), runs_(this, memory), span_blocks_(this, memory) {}

void Heap::note_full(std::size_t kind) noexcept {
  forecast_.note(occupied_);
  runs_.find_first(kind);
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
  span_blocks_.put(span);
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
  SpanBlock* const block = span_blocks_.take(base, occupied, sites_.roams(site));
  HeapCounters::add(counters_.spans_allocated, occupied);
  occupied_ += occupied;
  forecast_.note(occupied_);
  start(*block, bytes, kSizeClasses, site);
  return block;
}

Block* Heap::take_span_again(std::size_t bytes, std::uint64_t list) noexcept {
  if (bytes > kLargestBlock || !span_blocks_.has_unused()) return nullptr;
  const RoamingSites::Site site = next_site(site_class(bytes), list);
  const std::size_t occupied = span_bytes(bytes);
  std::byte* const base = spans_[sites_.roams(site)].take_again(occupied);
  return base != nullptr ? start_span(base, occupied, bytes, site) : nullptr;
}

Block* Heap::take_span(std::size_t bytes, std::uint64_t list) {
  const RoamingSites::Site site = next_site(site_class(bytes), list);
  span_blocks_.expect();
  const std::size_t occupied = span_bytes(bytes);
  std::byte* const base = spans_[sites_.roams(site)].take(occupied);
  return base != nullptr ? start_span(base, occupied, bytes, site) : nullptr;
}

Block* Heap::take_slowly(std::size_t bytes, std::uint64_t list, std::size_t run_bytes_max) {
  if (bytes > kLargestSlot) return take_span(bytes, list);
  if (Block* block = take(bytes, list)) return block;
  const bool roaming = roams(bytes, list);
  if (!runs_.make(RunTable::kind(size_class(bytes), roaming), run_bytes_max, spans_[roaming])) return nullptr;
  return take(bytes, list);
}

bool Heap::roams(std::size_t bytes, std::uint64_t list) noexcept {
  return sites_.roams(next_site(site_class(bytes), list));
}

std::size_t Heap::wanted_bytes(std::size_t bytes, std::size_t run_bytes_max) const noexcept {
  if (bytes > kLargestSlot) return span_bytes(bytes);
  return runs_.wanted_bytes(size_class(bytes), run_bytes_max);
}

void Heap::expect_memory(std::size_t spans) {
  for (SpanReplay& kind : spans_) kind.expect(spans);
}

void Heap::add_memory(Span span, bool roaming) {
  spans_[roaming].add(span.base, span.bytes);
  HeapCounters::add(counters_.owned, span.bytes);
}

void Heap::drop(Span span, bool roaming) {
  spans_[roaming].cut(span);
  HeapCounters::add(counters_.owned, std::size_t{0} - span.bytes);
}

void Heap::drop_free_spans(bool roaming) noexcept {
  HeapCounters::add(counters_.owned, std::size_t{0} - spans_[roaming].bytes());
  spans_[roaming].clear();
}

void Heap::visit_live(const std::function<void(const Block&)>& visit) const {
  const auto visit_if_live = [&](const Block& block) {
    if (block.is_live()) visit(block);
  };
  runs_.visit_blocks(visit_if_live);
  span_blocks_.visit(visit_if_live);
}

std::size_t Heap::free_bytes() const noexcept { return spans_[0].bytes() + spans_[1].bytes() + runs_.free_bytes(); }

void Heap::audit() const {
  runs_.audit();
  std::size_t bytes = spans_[0].bytes() + spans_[1].bytes() + runs_.bytes();
  span_blocks_.visit([&](const SpanBlock& block) {
    if (block.references.load(sync::relaxed) != kBlockFree) bytes += block.bytes;
  });
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
