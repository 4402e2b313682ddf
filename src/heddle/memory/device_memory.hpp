// The memory of one device: blocks for streams, within one budget.
//
// Contract:
//  1. A block freed on its own stream is reusable there at once: the stream's order protects it.
//  2. Another stream may get it only when the home stream has completed everything issued before the free, and every
//     foreign use is complete; or behind a wait of its own for that.
//  3. reserved <= limit at every moment; a failed allocation changes nothing.
//  4. free() is noexcept, takes any thread, and never calls the device.
//  5. Which memory a block gets depends on what is free, not on the order in which it became free (docs/memory.md).
// Behind it: a heap a stream, an outbox a thread, a depot between them, segments from a page source within a budget.
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
#include "heddle/memory/budget.hpp"
#include "heddle/memory/deferred_frees.hpp"
#include "heddle/memory/depot.hpp"
#include "heddle/memory/free_ledger.hpp"
#include "heddle/memory/heap.hpp"
#include "heddle/memory/ladder.hpp"
#include "heddle/memory/live_ranges.hpp"
#include "heddle/memory/page_source.hpp"
#include "heddle/memory/segments.hpp"
#include "heddle/memory/single_flight.hpp"
#include "heddle/statistics.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/thread_leases.hpp"
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
  // complete, no other thread uses it yet, and nobody will write it.
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
  // One line: limit, reserved, in use, free, still used by other streams; what streams other than `asking` hold back by
  // not committing; then who holds most.
  std::string report(const Lane* asking = nullptr) const;
  Budget& budget() noexcept { return budget_; }

  // Posts what this thread has freed for other streams.
  void on_commit() noexcept override {
    ledger_->flush_own();
    if (!deferred_.empty()) [[unlikely]]
      end_externals(deferred_.take_all());
  }

  // Aborts when memory was lost or given out twice, in a heap (of streams that are not being recorded) or, if all heaps
  // could be looked at and no memory moved between heaps, depot and device meanwhile, between those: then it is true.
  bool audit();

 private:
  struct ExternalBlock;
  // Memory may move between heaps, depot and device, which audit() would miscount.
  class Moving {
   public:
    explicit Moving(DeviceMemory& memory) noexcept : memory_(memory) {
      memory_.moves_begun_.fetch_add(1, sync::seq_cst);
    }
    ~Moving() { memory_.moves_ended_.fetch_add(1, sync::seq_cst); }
    Moving(const Moving&) = delete;
    Moving& operator=(const Moving&) = delete;

   private:
    DeviceMemory& memory_;
  };

  Block* take(Lane& lane, std::size_t bytes) noexcept;
  bool can_ever_hold(std::size_t bytes) const noexcept {
    return bytes <= kLargestBlock && rounded_bytes(bytes) <= budget_.limit();
  }
  Block* allocate_slowly(Lane& lane, std::size_t bytes);
  Block* try_slowly(Lane& lane, std::size_t bytes);
  void free_elsewhere(Block* block) noexcept;
  void free_external(ExternalBlock* block) noexcept;
  // True when the handler thread will end it, behind the first stream that still uses it.
  bool ends_behind_use(ExternalBlock* block) noexcept;
  // Tries again those of a chain for which nobody could be told to end them.
  void end_externals(Block* chain) noexcept;
  void note_all_streams(Block& block) noexcept;

  // --- the ladder: ladder.cpp ---
  Heap& heap_of(Lane& lane);
  // Own memory, the depot, a new segment.
  Block* search(Heap& heap, std::size_t bytes);
  Block* climb(Heap& heap, std::size_t bytes);
  Block* wait_and_search(Heap& heap, std::size_t bytes);
  Block* use_behind_wait(Heap& heap, std::size_t bytes);
  bool grow(Heap& heap, std::size_t bytes);
  std::size_t run_bytes_max() const noexcept;
  std::size_t segment_bytes() const noexcept;
  // For Heap::allowed_bytes().
  std::size_t bytes_kept() const noexcept;
  static void dissolve(Heap& heap) noexcept;
  // Moves what a heap does not use into the depot. REQUIRES: the caller may touch the heap.
  void surrender(Heap& heap) noexcept;
  // A block of what empty runs of other sizes leave, where the heap would else own more than it is allowed; null where
  // it may have more, or that does not do. What it owns beyond that goes to the depot.
  Block* remake_runs(Heap& heap, std::size_t bytes, std::size_t wanted, bool roaming);
  // Moves segments that are free as a whole, of `most` bytes in all, into the depot. REQUIRES: as surrender().
  void pass_on(Heap& heap, std::size_t most, bool roaming) noexcept;
  void reclaim_from_others(bool only_unleased);
  // The same by one of the threads that ask at once; the others wait until it is done.
  void reclaim_once_for_all();
  std::size_t give_back(std::size_t most);
  void give_back_above_high() noexcept;
  // MemoryStatistics::rounded alone: at least the bytes of live blocks at some moment during the call, and more where
  // others allocated and freed meanwhile.
  std::size_t rounded_now() const noexcept;
  // At most their bytes at one moment during the call: counts of allocations are read before counts of frees.
  std::size_t rounded_at_least() const noexcept;
  // False only where live blocks left too little, whatever others did meanwhile.
  bool could_ever_fit(std::size_t bytes) const noexcept;

  LanePool& pool_;
  const std::uint64_t pool_id_;
  Budget budget_;
  CountedPages counted_;
  LimitedPages limited_;
  Segments segments_;
  Depot depot_;
  const std::shared_ptr<FreeLedger> ledger_;
  const std::size_t heaps_max_;
  const std::unique_ptr<sync::Atomic<Heap*>[]> heaps_;  // by stream id; null: that stream has allocated nothing
  sync::Atomic<std::size_t> heap_count_{0};
  sync::Atomic<std::uint64_t> moves_begun_{0}, moves_ended_{0};
  SingleFlight flight_;
  LadderCounts rungs_;
  sync::Atomic<std::uint64_t> out_of_memory_{0};
  sync::Atomic<std::uint64_t> adopted_{0};
  sync::Atomic<std::size_t> rounded_peak_{0};
  Run external_;  // what external blocks refer to
  DeferredFrees deferred_;
#if HEDDLE_DEBUG_CHECKS
  LiveRanges live_ranges_;
#endif
};

inline Block* DeviceMemory::take(Lane& lane, std::size_t bytes) noexcept {
  lane.require_nothing_noted();
  // Relaxed: written by a holder of this lease, which the caller holds now.
  Heap* const heap = heaps_[lane.id().value].load(sync::relaxed);
  Block* const block = heap != nullptr ? heap->take(bytes, lane.committed().value) : nullptr;
#if HEDDLE_DEBUG_CHECKS
  if (block != nullptr) live_ranges_.add(*block);
#endif
  return block;
}

inline Block* DeviceMemory::take_here(std::size_t bytes) noexcept {
  const CurrentLease lease = current_lease();
  if (lease.pool != pool_id_ || sync::in_forked_child()) [[unlikely]]
    return nullptr;
  LeaseSlot& slot = *lease.slot;
  if (slot.gate.entered() || !slot.gate.try_enter()) [[unlikely]]
    return nullptr;
  Block* const block = slot.lane != nullptr ? take(*slot.lane, bytes) : nullptr;
  slot.gate.leave();
  if (slot.is_implicit && pool_.wanted()) [[unlikely]]
    pool_.give_up_if_idle(slot);
  return block;
}

inline void DeviceMemory::free(Block* block) noexcept {
  if (sync::in_forked_child()) [[unlikely]]
    return;
#if HEDDLE_DEBUG_CHECKS
  live_ranges_.remove(*block);
#endif
  const CurrentLease lease = current_lease();
  if (lease.pool == pool_id_) {
    sync::OwnerGate& gate = lease.slot->gate;
    const bool nested = gate.entered();
    if (nested || gate.try_enter()) {
      const bool is_own = lease.slot->lane == block->residency.home() && lease.slot->lane != nullptr;
      if (is_own) [[likely]] {
        HEDDLE_DCHECK(block->run->memory == this, "a block is freed into another memory than its own");
        if (block->is_shared_constant) [[unlikely]]
          note_all_streams(*block);
        block->run->heap->give(block);
      }
      if (!nested) gate.leave();
      if (is_own) return;
    }
  }
  free_elsewhere(block);
}

}  // namespace HEDDLE_NS
