#include "heddle/memory/run_table.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "heddle/base/check.hpp"
#include "heddle/memory/outbox.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kMostSlots = 64;
// A class begins with as many slots as fit here (at least two); each further run has as many as all before.
constexpr std::size_t kFirstRunBytes = std::size_t{64} << 10;
// What roams is away for a while, and some of it waits in outboxes: more slots, so that few addresses are used.
constexpr std::size_t kFirstRoamingSlots = std::size_t{2} * Outbox::kMostBlocks;

}  // namespace

RunTable::RunTable(Heap* heap, DeviceMemory* memory) noexcept : heap_(heap), memory_(memory) {
  none_.index = std::numeric_limits<std::uint32_t>::max();
  first_.fill(&none_);
}

RunTable::~RunTable() {
  for (Runs& runs : runs_) {
    for (auto& run : runs) {
      if (run != nullptr) destroy(*run);
    }
  }
}

void RunTable::destroy(Run& run) noexcept { delete[] std::exchange(run.blocks, nullptr); }

void RunTable::find_first(std::size_t kind) noexcept {
  // All runs below the one that was first are full.
  const Runs& runs = runs_[kind];
  for (std::size_t index = first_[kind]->index + std::size_t{1}; index < runs.size(); ++index) {
    if (runs[index] == nullptr || runs[index]->free == 0) continue;
    first_[kind] = runs[index].get();
    return;
  }
  first_[kind] = &none_;
}

std::size_t RunTable::slots(std::size_t kind, std::size_t run_bytes_max) const noexcept {
  const std::size_t bytes = class_bytes(kind % kSizeClasses);
  std::size_t slots = std::max(kind < kSizeClasses ? std::size_t{2} : kFirstRoamingSlots, kFirstRunBytes / bytes);
  std::size_t before = 0;
  for (const auto& run : runs_[kind]) {
    if (run != nullptr) before += static_cast<std::size_t>(std::popcount(run->all));
  }
  return std::min({std::max(slots, before), kMostSlots, std::max<std::size_t>(1, run_bytes_max / bytes)});
}

std::size_t RunTable::wanted_bytes(std::size_t kind, std::size_t run_bytes_max) const noexcept {
  return class_bytes(kind % kSizeClasses) * slots(kind, run_bytes_max);
}

bool RunTable::make(std::size_t kind, std::size_t run_bytes_max, SpanReplay& spans) {
  const std::size_t bytes = class_bytes(kind % kSizeClasses);
  std::size_t slots = this->slots(kind, run_bytes_max);
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
  run->heap = heap_;
  run->memory = memory_;
  run->slot_bytes = bytes;
  run->all = run->free = slots == kMostSlots ? ~std::uint64_t{0} : (std::uint64_t{1} << slots) - 1;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    run->blocks[slot].data = run->base + slot * bytes;
    run->blocks[slot].run = run.get();
  }
  note_free(*run);
  *hole = std::move(run);
  return true;
}

std::size_t RunTable::empty_bytes(bool roaming) const noexcept {
  std::size_t bytes = 0;
  for (std::size_t at = kind(0, roaming); at < kind(0, roaming) + kSizeClasses; ++at) {
    for (const auto& run : runs_[at]) {
      if (run != nullptr && run->free == run->all) bytes += run->bytes();
    }
  }
  return bytes;
}

void RunTable::dissolve(bool roaming, SpanReplay& spans) noexcept {
  for (std::size_t at = kind(0, roaming); at < kind(0, roaming) + kSizeClasses; ++at) {
    Runs& runs = runs_[at];
    for (auto& run : runs) {
      if (run == nullptr || run->free != run->all) continue;
      spans.give(run->base, run->bytes());
      destroy(*run);
      run.reset();
    }
    while (!runs.empty() && runs.back() == nullptr) runs.pop_back();
    const auto first =
        std::find_if(runs.begin(), runs.end(), [](auto& run) { return run != nullptr && run->free != 0; });
    first_[at] = first != runs.end() ? first->get() : &none_;
  }
}

std::size_t RunTable::bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Runs& runs : runs_) {
    for (const auto& run : runs) {
      if (run != nullptr) bytes += run->bytes();
    }
  }
  return bytes;
}

std::size_t RunTable::free_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Runs& runs : runs_) {
    for (const auto& run : runs) {
      if (run != nullptr) bytes += run->slot_bytes * static_cast<std::size_t>(std::popcount(run->free));
    }
  }
  return bytes;
}

void RunTable::audit() const {
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
    }
    HEDDLE_CHECK(first_[kind] == first, "the first free slot of a class is not the lowest");
  }
}

}  // namespace HEDDLE_NS
