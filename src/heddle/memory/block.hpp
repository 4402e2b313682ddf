// A block: one piece of device memory handed to a tensor. Its descriptor lives on the host; device memory is never
// touched.
//
// Thread safety: `references` is atomic; the rest is written by the allocator while nobody refers to the block, and by
// Residency's own rules. `references` and the word behind requested()/next() may be looked at by whoever claimed the
// heap. Invariants: 1. A block is given back with exactly one reference, by whoever has it; anything else is a fault
// (freed twice, a stale handle), which is reported. 2. A block is one cache line, and never moves.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/residency.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

class DeviceMemory;
class Heap;
struct Run;

// Block::references of a block that nobody refers to.
inline constexpr std::uint32_t kBlockFree = 0;               // in its heap, or never used
inline constexpr std::uint32_t kBlockPosted = 0x8000'0000;   // given back on another stream's thread: outbox or inbox
inline constexpr std::uint32_t kBlockPending = 0x8000'0001;  // given back, but another stream still uses it

struct alignas(64) Block {
  void* data = nullptr;
  Run* run = nullptr;  // where it comes from; never null once it was handed out
  Residency residency;
  sync::Atomic<std::uint32_t> references{0};  // tensors that share it; or kBlockFree ... when there are none
  bool is_external : 1 = false;               // the memory is the user's: DeviceMemory::adopt
  bool is_shared_constant : 1 = false;        // read by many streams, which do not note it
  std::uint16_t site = 0;                     // which allocation of its list it was: RoamingSites

  bool is_live() const noexcept { return references.load(sync::relaxed) - 1 < kBlockPosted - 1; }
  // While live: the bytes that were asked for. Afterwards: the next block of the chain that it is in.
  std::size_t requested() const noexcept { return word.load(sync::relaxed); }
  void set_requested(std::size_t bytes) noexcept { word.store(bytes, sync::relaxed); }
  Block* next() const noexcept { return std::bit_cast<Block*>(word.load(sync::relaxed)); }
  // Release: a reporter that reads this word and then still finds the block live has read the bytes.
  void set_next(Block* block) noexcept { word.store(std::bit_cast<std::uintptr_t>(block), sync::release); }

  // While posted: a block further down the chain, or null. Only a hint of what will be needed soon: Inbox.
  Block* ahead() const noexcept { return std::bit_cast<Block*>(residency.lent()); }
  void set_ahead(Block* block) noexcept { residency.lend(std::bit_cast<std::uintptr_t>(block)); }

  sync::Atomic<std::uintptr_t> word{0};
};

#if !HEDDLE_CHECKED  // whose atomics have histories
static_assert(sizeof(Block) == 64, "a block is one cache line");
#endif

// A run: equal blocks ("slots") side by side, at most 64, with one bit for each. Or, with slot_bytes 0, the place that
// blocks of their own span refer to.
//
// Thread safety: as Heap.
struct Run {
  std::size_t bytes() const noexcept { return slot_bytes * static_cast<std::size_t>(std::popcount(all)); }
  // REQUIRES: a free slot.
  Block& take_lowest() noexcept {
    const std::uint64_t slots = free;
    free = slots & (slots - 1);
    return blocks[std::countr_zero(slots)];
  }

  std::uint64_t free = 0;  // bit n: slot n is free
  std::uint32_t index = 0;
  std::uint16_t size_class = 0;
  std::uint16_t kind = 0;  // the class, and whether it holds what roams: Heap
  bool is_slow = false;    // freeing into it takes the slow path: spans, and what roams
  bool is_roaming = false;
  Heap* heap = nullptr;
  DeviceMemory* memory = nullptr;
  std::size_t slot_bytes = 0;
  std::byte* base = nullptr;
  std::uint64_t all = 0;  // `free` of an empty run
  Block* blocks = nullptr;
};

}  // namespace HEDDLE_NS
