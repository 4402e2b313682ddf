#include "heddle/memory/heap.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "heddle/base/check.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kMostSlots = 64;
// A class begins with as many slots as fit here (at least one), and doubles with each run.
constexpr std::size_t kFirstRunBytes = 4096;

}  // namespace

Heap::Heap(Lane* home, DeviceMemory* memory) : home_(home), memory_(memory) {
  none_.index = std::numeric_limits<std::uint32_t>::max();
  for (Half& half : halves_) {
    half.first.fill(&none_);
    half.spans.is_slow = true;
    half.spans.heap = this;
    half.spans.memory = memory;
  }
  halves_[1].spans.is_away = true;
}

Heap::~Heap() {
  for (Half& half : halves_) {
    for (auto& runs : half.runs) {
      for (auto& run : runs) {
        if (run != nullptr) destroy(*run);
      }
    }
  }
}

void Heap::destroy(Run& run) noexcept { delete[] std::exchange(run.blocks, nullptr); }

void Heap::find_first(std::size_t size_class, Half& half) noexcept {
  // All runs below the one that was first are full.
  const auto& runs = half.runs[size_class];
  for (std::size_t index = half.first[size_class]->index; index < runs.size(); ++index) {
    if (runs[index] == nullptr || runs[index]->free == 0) continue;
    half.first[size_class] = runs[index].get();
    return;
  }
  half.first[size_class] = &none_;
}

std::size_t Heap::occupied(const Block& block) noexcept {
  return block.run->slot_bytes != 0 ? block.run->slot_bytes : static_cast<const SpanBlock&>(block).bytes;
}

void Heap::put_span(SpanBlock* block) noexcept {
  spans_.give(static_cast<std::byte*>(block->data), block->bytes);
  block->state.store(BlockState::kFree, sync::relaxed);
  block->set_next(std::exchange(unused_span_blocks_, block));
}

void Heap::give_slowly(Block* block) noexcept {
  HeapCounters::add(counters_.rounded, std::size_t{0} - occupied(*block));
  if (block->residency.has_foreign_uses() && !block->residency.settle()) {
    // When it becomes free is another stream's matter.
    sites_.left(block->site);
    HeapCounters::add(counters_.pending, occupied(*block));
    block->state.store(BlockState::kPending, sync::relaxed);
    block->set_next(std::exchange(pending_, block));
    return;
  }
  if (block->run->is_away) sites_.stayed(block->site);
  if (block->run->slot_bytes != 0) {
    put(block);
  } else {
    put_span(static_cast<SpanBlock*>(block));
  }
}

bool Heap::collect() noexcept {
  bool any = false;
  Block* pending = std::exchange(pending_, nullptr);
  const auto settle = [&](Block* block) {
    if (block->residency.has_foreign_uses() && !block->residency.settle()) {
      block->state.store(BlockState::kPending, sync::relaxed);
      block->set_next(std::exchange(pending_, block));
      return false;
    }
    if (block->run->slot_bytes != 0) {
      put(block);
    } else {
      put_span(static_cast<SpanBlock*>(block));
    }
    any = true;
    return true;
  };
  while (pending != nullptr) {
    Block* const block = std::exchange(pending, pending->next());
    const std::size_t bytes = occupied(*block);
    if (settle(block)) HeapCounters::add(counters_.pending, std::size_t{0} - bytes);
  }
  for (Block* posted = inbox_.take_all(); posted != nullptr;) {
    Block* const block = std::exchange(posted, posted->next());
    sites_.left(block->site);
    const std::size_t bytes = occupied(*block);
    if (!settle(block)) HeapCounters::add(counters_.pending, bytes);
  }
  return any;
}

std::size_t Heap::run_slots(std::size_t size_class, bool away, std::size_t run_bytes_max) const noexcept {
  const std::size_t bytes = class_bytes(size_class);
  std::size_t slots = std::max<std::size_t>(1, kFirstRunBytes / bytes);
  for (const auto& run : halves_[away ? 1 : 0].runs[size_class]) {
    if (run != nullptr) slots = std::max<std::size_t>(slots, 2 * static_cast<std::size_t>(std::popcount(run->all)));
  }
  return std::min({slots, kMostSlots, std::max<std::size_t>(1, run_bytes_max / bytes)});
}

bool Heap::make_run(std::size_t size_class, bool away, std::size_t run_bytes_max) {
  const std::size_t bytes = class_bytes(size_class);
  std::size_t slots = run_slots(size_class, away, run_bytes_max);
  while (slots > 1 && spans_.largest() < slots * bytes) slots /= 2;
  if (spans_.largest() < slots * bytes) return false;
  Half& half = halves_[away ? 1 : 0];
  auto& runs = half.runs[size_class];
  auto hole = std::find(runs.begin(), runs.end(), nullptr);
  if (hole == runs.end()) hole = runs.insert(hole, nullptr);
  auto run = std::make_unique<Run>();
  std::unique_ptr<Block[]> blocks(new Block[slots]);
  run->base = spans_.take(slots * bytes, away ? SpanTree::End::kHigh : SpanTree::End::kLow);
  run->blocks = blocks.release();
  run->index = static_cast<std::uint32_t>(hole - runs.begin());
  run->size_class = static_cast<std::uint16_t>(size_class);
  run->is_slow = run->is_away = away;
  run->heap = this;
  run->memory = memory_;
  run->slot_bytes = bytes;
  run->all = run->free = slots == kMostSlots ? ~std::uint64_t{0} : (std::uint64_t{1} << slots) - 1;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    run->blocks[slot].data = run->base + slot * bytes;
    run->blocks[slot].run = run.get();
  }
  if (run->index < half.first[size_class]->index) half.first[size_class] = run.get();
  *hole = std::move(run);
  return true;
}

Block* Heap::take_span(std::size_t bytes, RoamingSites::Site site) {
  const bool away = sites_.roams(site);
  if (unused_span_blocks_ == nullptr) {
    span_blocks_.push_back(std::make_unique<std::array<SpanBlock, 16>>());
    for (SpanBlock& block : *span_blocks_.back()) block.set_next(std::exchange(unused_span_blocks_, &block));
  }
  const std::size_t occupied = span_bytes(bytes);
  std::byte* const base = spans_.take(occupied, away ? SpanTree::End::kHigh : SpanTree::End::kLow);
  if (base == nullptr) return nullptr;
  auto* const block = static_cast<SpanBlock*>(std::exchange(unused_span_blocks_, unused_span_blocks_->next()));
  block->data = base;
  block->bytes = occupied;
  block->run = &halves_[away ? 1 : 0].spans;
  start(*block, bytes, occupied, site);
  return block;
}

Block* Heap::take_slowly(std::size_t bytes, std::uint64_t list, std::size_t run_bytes_max) {
  if (bytes > kLargestSlot) {
    return take_span(bytes, next_site(kSizeClasses + static_cast<std::size_t>(std::bit_width(bytes)), list));
  }
  if (Block* block = take(bytes, list)) return block;
  const std::size_t index = size_class(bytes);
  if (!make_run(index, sites_.roams(next_site(index, list)), run_bytes_max)) return nullptr;
  return take(bytes, list);
}

std::size_t Heap::wanted_bytes(std::size_t bytes, std::size_t run_bytes_max) const noexcept {
  if (bytes > kLargestSlot) return span_bytes(bytes);
  const std::size_t index = size_class(bytes);
  return class_bytes(index) * run_slots(index, false, run_bytes_max);
}

void Heap::add_memory(Span span) {
  spans_.add(span.base, span.bytes);
  HeapCounters::add(counters_.owned, span.bytes);
}

std::size_t Heap::dissolve() noexcept {
  std::size_t bytes = 0;
  for (Half& half : halves_) {
    for (std::size_t index = 0; index < kSizeClasses; ++index) {
      auto& runs = half.runs[index];
      bool any = false;
      for (auto& run : runs) {
        if (run == nullptr || run->free != run->all) continue;
        const std::size_t size = run->slot_bytes * static_cast<std::size_t>(std::popcount(run->all));
        spans_.give(run->base, size);
        bytes += size;
        destroy(*run);
        run.reset();
        any = true;
      }
      if (!any) continue;
      while (!runs.empty() && runs.back() == nullptr) runs.pop_back();
      const auto free =
          std::find_if(runs.begin(), runs.end(), [](auto& run) { return run != nullptr && run->free != 0; });
      half.first[index] = free != runs.end() ? free->get() : &none_;
    }
  }
  return bytes;
}

std::vector<Span> Heap::surrender() {
  dissolve();
  std::vector<Span> spans = spans_.spans();
  HeapCounters::add(counters_.owned, std::size_t{0} - spans_.bytes());
  spans_.clear();
  return spans;
}

void Heap::visit_live(const std::function<void(const Block&)>& visit) const {
  const auto look = [&](const Block& block) {
    if (block.state.load(sync::relaxed) == BlockState::kLive) visit(block);
  };
  for (const Half& half : halves_) {
    for (const auto& runs : half.runs) {
      for (const auto& run : runs) {
        if (run == nullptr) continue;
        for (int slot = 0; slot < std::popcount(run->all); ++slot) look(run->blocks[slot]);
      }
    }
  }
  for (const auto& chunk : span_blocks_) {
    for (const Block& block : *chunk) look(block);
  }
}

std::size_t Heap::free_bytes() const noexcept {
  std::size_t bytes = spans_.bytes();
  for (const Half& half : halves_) {
    for (const auto& runs : half.runs) {
      for (const auto& run : runs) {
        if (run != nullptr) bytes += run->slot_bytes * static_cast<std::size_t>(std::popcount(run->free));
      }
    }
  }
  return bytes;
}

void Heap::audit() const {
  std::size_t bytes = spans_.bytes();
  for (const Half& half : halves_) {
    for (std::size_t index = 0; index < kSizeClasses; ++index) {
      const Run* first = &none_;
      for (const auto& run : half.runs[index]) {
        if (run == nullptr) continue;
        if (run->free != 0 && run->index < first->index) first = run.get();
        HEDDLE_CHECK((run->free & ~run->all) == 0, "a run has free slots that do not exist");
        for (int slot = 0; slot < std::popcount(run->all); ++slot) {
          const bool is_free = run->blocks[slot].state.load(sync::relaxed) == BlockState::kFree;
          HEDDLE_CHECK(is_free == ((run->free >> slot & 1) != 0), "a block's state and its run's bit differ");
        }
        bytes += run->slot_bytes * static_cast<std::size_t>(std::popcount(run->all));
      }
      HEDDLE_CHECK(half.first[index] == first, "the first free slot of a class is not the lowest");
    }
  }
  for (const auto& chunk : span_blocks_) {
    for (const SpanBlock& block : *chunk) {
      if (block.state.load(sync::relaxed) != BlockState::kFree) bytes += block.bytes;
    }
  }
  HEDDLE_CHECK(bytes == counters_.owned.load(sync::relaxed), "a heap lost or found memory");
}

[[noreturn]] void Heap::misused(const Block& block) noexcept {
  switch (block.state.load(sync::relaxed)) {
    case BlockState::kPosted:
      check_failed("state == kLive", "a block was freed twice: another thread gave it back before", __FILE__, __LINE__);
    case BlockState::kPending:
      check_failed("state == kLive", "a block was freed twice: it waits for other streams' uses", __FILE__, __LINE__);
    default:
      check_failed("state == kLive", "a block was freed twice, or its handle is stale: it is free", __FILE__, __LINE__);
  }
}

}  // namespace HEDDLE_NS
