// The memory of one device: blocks for streams, within one budget.
//
// Contract:
//  1. A block freed on its own stream is reusable there at once: the stream's order protects it.
//  2. Another stream may get it only when the home stream has completed everything issued before the free, and every
//     foreign use is complete; or after a wait of its own for that.
//  3. reserved <= limit at every moment; a failed allocation changes nothing.
//  4. free() is noexcept, takes any thread, and never calls the device.
//  5. Which memory a block gets depends on what is free, not on the order in which it became free
//  (docs/change/memory.md).
// Below it (MemoryParts): a heap per stream, an outbox per thread, a depot between them, segments from a page source
// within a budget. What an allocation does when its heap has no free slot: Ladder.
// Thread safety: all members. The fast path of allocate() and free(), on the thread that holds the stream's lease,
// takes no lock, no locked instruction and makes no backend call.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/external_memory.hpp"
#include "heddle/memory/heap.hpp"
#include "heddle/memory/ladder.hpp"
#include "heddle/memory/live_ranges.hpp"
#include "heddle/memory/memory_parts.hpp"
#include "heddle/memory/move_count.hpp"
#include "heddle/memory/page_source.hpp"
#include "heddle/statistics.hpp"
#include "heddle/stream/current_lane.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {

struct MemoryOptions {
  std::size_t limit = 0;  // bytes, at most, that are ever obtained from the device
  std::size_t high = 0;   // above it idle memory is given back ...
  std::size_t low = 0;    // ... down to this; 0: Budget's defaults
};

class DeviceMemory final : public CommitListener {
 public:
  // For the streams of `pool`, from `pages`; both outlive it.
  DeviceMemory(PageSource& pages, LanePool& pool, const MemoryOptions& options);
  ~DeviceMemory();  // REQUIRES: no live block, all streams idle
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // A block of at least `bytes` (0 counts as 1) for use in the order of `lane`, with one reference. Where nothing is
  // free, it commits `lane` and waits, 2 s at most, for work that still uses freed blocks.
  // Throws OutOfMemory with a report. REQUIRES: the caller holds lane's lease and is inside its gate, and holds no
  // lock.
  Block* allocate(Lane& lane, std::size_t bytes) {
    Block* block = take(lane, bytes);
    return block != nullptr ? block : allocate_slowly(lane, bytes);
  }
  // The fast path alone, on the calling thread's stream; null where that does not do.
  Block* take_here(std::size_t bytes) noexcept;
  // As allocate, but null instead of OutOfMemory; host memory that runs out is bad_alloc here too.
  Block* try_allocate(Lane& lane, std::size_t bytes) {
    Block* block = take(lane, bytes);
    return block != nullptr ? block : try_slowly(lane, bytes);
  }
  // Gives a block without references back. Aborts, naming the fault, when it is not live (freed twice, or a stale
  // handle) or of another memory. Does nothing in a forked child.
  void free(Block* block) noexcept;

  // A block over memory of the user's, with one reference. `deleter`, which must not throw, is called once nothing
  // refers to it and no stream uses it any more: at once on the thread that dropped it, or later on the handler thread
  // (where host memory is short, on one that commits, or at close); never when the runtime shut down while a stream
  // might still use it. Counts as a live block of 0 bytes. Throws bad_alloc, and `deleter` is not called then.
  Block* adopt(void* data, std::size_t bytes, std::function<void()> deleter);
  // From now on streams read this block without noting it, so reading writes nothing that threads share; when it is
  // freed, it is taken to be in use by every stream. For weights. Makes room for that, 18 bytes of host memory a stream
  // that there can be, as freeing must not fail; throws bad_alloc, nothing is changed then. REQUIRES: its last write is
  // complete, no other thread uses it yet, and none will write it.
  static void make_shared_constant(Block& block);

  // Sizes of the blocks that are live, largest first, at most `most`; without those of streams that are being recorded.
  std::vector<std::size_t> live_sizes(std::size_t most);

  // Once no block is live (possibly now), drops `owner`, which may destroy this object. Called once, at the end of a
  // complete close: no stream uses anything any more, and nothing is recorded.
  void retire(std::shared_ptr<void> owner) noexcept;

  // Gives idle segments back to the device; returns the bytes. Streams that are being recorded at this moment keep
  // theirs.
  std::size_t release_cached();

  MemoryStatistics statistics() const;
  // One line: report_of() in memory/memory_report.hpp.
  std::string report(const Lane* asking = nullptr) const;
  Budget& budget() noexcept { return parts_.budget; }

  // Posts what this thread has freed for other streams.
  void on_commit() noexcept override {
    parts_.ledger->flush_own();
    external_.retry();
  }

  // Aborts when memory was lost or given out twice, in a heap (of streams that are not being recorded) or, if all heaps
  // could be looked at and no memory moved between heaps, depot and device meanwhile, between those: then it is true.
  bool audit();

 private:
  Block* take(Lane& lane, std::size_t bytes) noexcept;
  bool can_ever_hold(std::size_t bytes) const noexcept {
    return bytes <= kLargestBlock && rounded_bytes(bytes) <= parts_.budget.limit();
  }
  Block* allocate_slowly(Lane& lane, std::size_t bytes);
  Block* try_slowly(Lane& lane, std::size_t bytes);
  void free_elsewhere(Block* block) noexcept;
  // Notes a shared constant that is being freed as used by every stream that has work.
  void note_all_streams(Block& block) noexcept;

  LanePool& pool_;
  const std::uint64_t pool_id_;
  MemoryParts parts_;
  MoveCount moves_;
  Ladder ladder_;
  ExternalMemory external_;
  sync::Atomic<std::uint64_t> out_of_memory_{0};
#if HEDDLE_DEBUG_CHECKS
  LiveRanges live_ranges_;
#endif
};

inline Block* DeviceMemory::take(Lane& lane, std::size_t bytes) noexcept {
  Heap* const heap = parts_.heaps.own(lane);
  Block* const block = heap != nullptr ? heap->take(bytes, lane.committed().value) : nullptr;
#if HEDDLE_DEBUG_CHECKS
  if (block != nullptr) live_ranges_.add(*block);
#endif
  return block;
}

inline Block* DeviceMemory::take_here(std::size_t bytes) noexcept {
  CurrentLane current;
  if (!current.enter(pool_id_)) [[unlikely]]
    return nullptr;
  Block* const block = take(*current.lane(), bytes);
  current.leave_and_give_up(pool_);
  return block;
}

inline void DeviceMemory::free(Block* block) noexcept {
  if (sync::in_forked_child()) [[unlikely]]
    return;
#if HEDDLE_DEBUG_CHECKS
  live_ranges_.remove(*block);
#endif
  {
    CurrentLane current;
    if (current.enter_or_join(pool_id_) && current.lane() == block->residency.home()) [[likely]] {
      HEDDLE_DCHECK(block->run->memory == this, "a block is freed into another memory than its own");
      if (block->is_shared_constant) [[unlikely]]
        note_all_streams(*block);
      block->run->heap->give(block);
      return;
    }
  }
  free_elsewhere(block);
}

}  // namespace HEDDLE_NS
