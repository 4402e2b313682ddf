// What a heap owns: runs that are made out of free spans and become such again, what it takes in and what it passes on.
#include <algorithm>
#include <utility>

#include "heddle/memory/heap.hpp"
#include "heddle/memory/outbox.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kMostSlots = 64;
// A class begins with as many slots as fit here (at least two); each further run has as many as all before.
constexpr std::size_t kFirstRunBytes = std::size_t{64} << 10;
// What roams is away for a while, and some of it waits in outboxes: more slots, so that few addresses are used.
constexpr std::size_t kFirstRoamingSlots = std::size_t{2} * Outbox::kMostBlocks;

}  // namespace

std::size_t Heap::run_slots(std::size_t kind, std::size_t run_bytes_max) const noexcept {
  const std::size_t bytes = class_bytes(kind % kSizeClasses);
  std::size_t slots = std::max(kind < kSizeClasses ? std::size_t{2} : kFirstRoamingSlots, kFirstRunBytes / bytes);
  std::size_t before = 0;
  for (const auto& run : runs_[kind]) {
    if (run != nullptr) before += static_cast<std::size_t>(std::popcount(run->all));
  }
  return std::min({std::max(slots, before), kMostSlots, std::max<std::size_t>(1, run_bytes_max / bytes)});
}

bool Heap::make_run(std::size_t kind, std::size_t run_bytes_max) {
  const std::size_t bytes = class_bytes(kind % kSizeClasses);
  std::size_t slots = run_slots(kind, run_bytes_max);
  SpanReplay& spans = spans_[kind / kSizeClasses];
  while (slots > 1 && spans.largest() < slots * bytes) slots /= 2;
  if (spans.largest() < slots * bytes) return false;
  Runs& runs = runs_[kind];
  auto hole = std::find(runs.begin(), runs.end(), nullptr);
  if (hole == runs.end()) hole = runs.insert(hole, nullptr);
  auto run = std::make_unique<Run>();
  std::unique_ptr<Block[]> blocks(new Block[slots]);
  run->is_roaming = kind >= kSizeClasses;
  run->base = spans.take(slots * bytes);
  run->blocks = blocks.release();
  run->index = static_cast<std::uint32_t>(hole - runs.begin());
  run->size_class = static_cast<std::uint16_t>(kind % kSizeClasses);
  run->kind = static_cast<std::uint16_t>(kind);
  run->is_slow = run->is_roaming;
  run->heap = this;
  run->memory = memory_;
  run->slot_bytes = bytes;
  run->all = run->free = slots == kMostSlots ? ~std::uint64_t{0} : (std::uint64_t{1} << slots) - 1;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    run->blocks[slot].data = run->base + slot * bytes;
    run->blocks[slot].run = run.get();
  }
  if (run->index < first_[kind]->index) first_[kind] = run.get();
  *hole = std::move(run);
  return true;
}

std::size_t Heap::wanted_bytes(std::size_t bytes, std::size_t run_bytes_max) const noexcept {
  if (bytes > kLargestSlot) return span_bytes(bytes);
  const std::size_t index = size_class(bytes);
  return class_bytes(index) * run_slots(index, run_bytes_max);
}

std::size_t Heap::empty_run_bytes(bool roaming) const noexcept {
  std::size_t bytes = 0;
  const std::size_t first = roaming ? kSizeClasses : 0;
  for (std::size_t kind = first; kind < first + kSizeClasses; ++kind) {
    for (const auto& run : runs_[kind]) {
      if (run != nullptr && run->free == run->all) bytes += run->bytes();
    }
  }
  return bytes;
}

void Heap::expect_memory(std::size_t spans) {
  for (SpanReplay& kind : spans_) kind.expect(spans);
}

void Heap::add_memory(Span span, bool roaming) {
  spans_[roaming].add(span.base, span.bytes);
  HeapCounters::add(counters_.owned, span.bytes);
}

void Heap::dissolve(bool roaming) noexcept {
  const std::size_t first_kind = roaming ? kSizeClasses : 0;
  for (std::size_t kind = first_kind; kind < first_kind + kSizeClasses; ++kind) {
    Runs& runs = runs_[kind];
    for (auto& run : runs) {
      if (run == nullptr || run->free != run->all) continue;
      spans_[roaming].give(run->base, run->bytes());
      destroy(*run);
      run.reset();
    }
    while (!runs.empty() && runs.back() == nullptr) runs.pop_back();
    const auto first =
        std::find_if(runs.begin(), runs.end(), [](auto& run) { return run != nullptr && run->free != 0; });
    first_[kind] = first != runs.end() ? first->get() : &none_;
  }
}

void Heap::drop(Span span, bool roaming) {
  spans_[roaming].cut(span);
  HeapCounters::add(counters_.owned, std::size_t{0} - span.bytes);
}

void Heap::drop_free_spans(bool roaming) noexcept {
  HeapCounters::add(counters_.owned, std::size_t{0} - spans_[roaming].bytes());
  spans_[roaming].clear();
}

}  // namespace HEDDLE_NS
