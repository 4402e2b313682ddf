// Heap: the memory of one stream on one device.
//
// Slots of equal size lie in runs, one bit each; larger blocks are spans. What is taken is the lowest free slot of the
// class, or the smallest span that fits, so it depends on the set of free slots and spans and not on the order in which
// they became free: a loop that gives back what it took gets the same addresses the next time round. Blocks that roam
// (RoamingSites) have memory of their own, so they never change which addresses the others get.
//
// Thread safety: one thread at a time: the holder of the stream's lease, inside its gate, or who claimed it
// (LanePool::visit_idle). inbox() and counters() by any thread. take() and give() use no lock, no locked instruction
// and no backend call. give() allocates no host memory.
// Invariants: 1. owned = slots of all runs + free spans + span blocks (audit() checks it). 2. first_[kind] is the
// lowest run of its kind with a free slot, or none_. 3. A block in the pending chain has an unfinished foreign use.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/inbox.hpp"
#include "heddle/memory/roaming_sites.hpp"
#include "heddle/memory/size_class.hpp"
#include "heddle/memory/span_replay.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

// What a heap's holder did, read by anyone. Each has one writer, so counting needs no locked instruction. Blocks that
// other threads gave back are counted by those (Outbox): live = allocated here - freed here - freed elsewhere.
// Invariant: counts of frees are stored with release and read first, with acquire; so a reader has seen the allocation
// of each block that it counts as freed, and no difference is below 0.
class HeapCounters {
 public:
  template <class T>
  static void add(sync::Atomic<T>& counter, T by) noexcept {
    counter.store(counter.load(sync::relaxed) + by, sync::relaxed);
  }
  template <class T>
  static void add_freed(sync::Atomic<T>& counter, T by) noexcept {
    // Counterpart: sums().
    counter.store(counter.load(sync::relaxed) + by, HEDDLE_PLANT(heap_frees_relaxed) ? sync::relaxed : sync::release);
  }
  struct Count {
    sync::Atomic<std::uint64_t> allocated{0}, freed{0};
  };
  std::array<Count, kSizeClasses + 1> blocks;                            // by size class; last: spans
  sync::Atomic<std::size_t> requested_allocated{0}, requested_freed{0};  // bytes asked for
  sync::Atomic<std::size_t> spans_allocated{0}, spans_freed{0};          // bytes that span blocks occupy
  sync::Atomic<std::size_t> pending{0};  // bytes of freed blocks that another stream still uses
  sync::Atomic<std::size_t> owned{0};    // bytes of the device's memory that are this heap's

  struct Sums {
    std::uint64_t allocated = 0, freed = 0;
    std::size_t requested = 0;  // bytes asked for, allocated less freed
    std::size_t rounded = 0;    // what those occupy
  };
  Sums sums() const noexcept;
  // The bytes that all blocks occupied which were ever allocated here; which were freed here.
  std::size_t rounded_allocated() const noexcept;
  std::size_t rounded_freed() const noexcept;
};

class Heap {
 public:
  // `home` (null only in tests of a heap alone) and `memory` outlive it.
  explicit Heap(Lane* home, DeviceMemory* memory = nullptr);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  Lane* home() const noexcept { return home_; }
  Inbox& inbox() noexcept { return inbox_; }
  const HeapCounters& counters() const noexcept { return counters_; }

  // A block with one reference, from the slots that are free, or a span that is known to fit; null where take_slowly()
  // has to look. `list` numbers the command list that is being recorded (any number that changes with it).
  Block* take(std::size_t bytes, std::uint64_t list) noexcept;
  // Gives back a block of this heap whose last reference is gone. Reusable at once, or once its foreign uses are done.
  void give(Block* block) noexcept;

  // --- the slow path ---
  // As take(), but also makes runs (of `run_bytes_max` bytes, or one slot) and spans out of what the heap owns. Null:
  // it owns nothing that fits. May throw bad_alloc, nothing is changed then.
  Block* take_slowly(std::size_t bytes, std::uint64_t list, std::size_t run_bytes_max);
  // How much memory a block of `bytes` would best be made from.
  std::size_t wanted_bytes(std::size_t bytes, std::size_t run_bytes_max) const noexcept;
  // Whether such a block roams, for add_memory().
  bool roams(std::size_t bytes, std::uint64_t list) noexcept;
  // True at most every 8 lists: the holder may empty other threads' outboxes rather than add a run, so that what roams
  // is seen soon, and needs no more addresses because some of it is held back.
  bool may_flush_others() noexcept;
  // Blocks from the inbox, and pending ones whose uses are done, become free. True when any did.
  bool collect() noexcept;
  // Makes room for so many add_memory() or drop(), which then do not throw. May throw bad_alloc.
  void expect_memory(std::size_t spans = 1);

  // How much this heap may own before it makes others of its empty runs rather than take more: three times as much as
  // it needed at once (forgotten slowly), and `kept`.
  std::size_t allowed_bytes(std::size_t kept) const noexcept {
    return 3 * std::max({most_, most_before_, occupied_}) + kept;
  }

  // What blocks that stay and blocks that roam are made from is kept apart; these are about one of the two.
  void add_memory(Span span, bool roaming = false);
  // Bytes in runs without a live block.
  std::size_t empty_run_bytes(bool roaming) const noexcept;
  // Runs without a live block become free spans again.
  void dissolve(bool roaming) noexcept;
  std::size_t free_span_bytes(bool roaming) const noexcept { return spans_[roaming].bytes(); }
  // May throw bad_alloc.
  std::vector<Span> free_spans(bool roaming) { return spans_[roaming].spans(); }
  // This, within a free span, is another's from now on; so are all free spans. May throw as take_slowly().
  void drop(Span span, bool roaming);
  void drop_free_spans(bool roaming) noexcept;

  // What a block of a heap occupies.
  static std::size_t occupied(const Block& block) noexcept;
  // Aborts with what is wrong: the block is not live, so it may not be given back.
  [[noreturn]] static void misused(const Block& block) noexcept;

  void visit_live(const std::function<void(const Block&)>& visit) const;
  // Aborts when an invariant does not hold.
  void audit() const;
  std::size_t free_bytes() const noexcept;  // in slots and spans

 private:
  struct SpanBlock : Block {
    std::size_t bytes = 0;
  };
  // Kinds of runs: a size class of what stays, or (from kSizeClasses on) of what roams.
  static constexpr std::size_t kKinds = 2 * kSizeClasses;
  using Runs = std::vector<std::unique_ptr<Run>>;  // by Run::index; null: a hole

  void start(Block& block, std::size_t bytes, std::size_t size_class, RoamingSites::Site site) noexcept;
  void find_first(std::size_t kind) noexcept;
  void note_most() noexcept { most_ = std::max(most_, occupied_); }
  void give_slowly(Block* block) noexcept;
  // The block's memory is free from now on: of a slot; of any block.
  void put_slot(Block* block) noexcept;
  void put(Block* block) noexcept;
  // put(), unless another stream still uses it: then it is pending, and the answer false.
  bool settle(Block* block) noexcept;
  bool make_run(std::size_t kind, std::size_t run_bytes_max);
  std::size_t run_slots(std::size_t kind, std::size_t run_bytes_max) const noexcept;
  Block* take_span_again(std::size_t bytes, std::uint64_t list) noexcept;
  Block* take_span(std::size_t bytes, std::uint64_t list);
  Block* start_span(std::byte* base, std::size_t occupied, std::size_t bytes, RoamingSites::Site site) noexcept;
  // Number for sites: of larger blocks too.
  static std::size_t site_class(std::size_t bytes) noexcept {
    return bytes <= kLargestSlot ? size_class(bytes) : kSizeClasses + static_cast<std::size_t>(std::bit_width(bytes));
  }
  // Takes in what came back, so that roaming blocks are few and what is learnt from them is learnt soon.
  void begin_list(std::uint64_t list) noexcept;
  RoamingSites::Site next_site(std::size_t size_class, std::uint64_t list) noexcept;
  void destroy(Run& run) noexcept;

  Lane* const home_;
  DeviceMemory* const memory_;
  std::uint64_t list_ = 0;
  RoamingSites::Ordinal ordinal_;  // of the next allocation in that list
  std::uint64_t lists_ = 0;        // how many there were
  std::uint64_t flush_from_ = 0;   // lists_ from which on may_flush_others()
  std::size_t occupied_ = 0;       // bytes of blocks that are not free: in use, on their way back, or pending
  // The most that it was, as seen when lists began, runs were full and spans were taken (perhaps less than it was): in
  // the present window of lists, and in those before, forgotten slowly.
  std::size_t most_ = 0, most_before_ = 0;
  std::uint64_t window_end_ = 0;
  std::array<Run*, kKinds> first_;
  HeapCounters counters_;
  RoamingSites sites_;
  std::array<Runs, kKinds> runs_;
  Run spans_staying_, spans_roaming_;  // what span blocks refer to
  Run none_;
  Block* pending_ = nullptr;
  std::array<SpanReplay, 2> spans_;  // [0]: for what stays, [1]: for what roams
  Block* unused_span_blocks_ = nullptr;
  std::vector<std::unique_ptr<std::array<SpanBlock, 16>>> span_blocks_;
  Inbox inbox_;
};

inline RoamingSites::Site Heap::next_site(std::size_t size_class, std::uint64_t list) noexcept {
  if (list != list_) [[unlikely]]
    begin_list(list);
  return RoamingSites::site(ordinal_, size_class);
}

inline void Heap::start(Block& block, std::size_t bytes, std::size_t size_class, RoamingSites::Site site) noexcept {
  ordinal_.advance();
  block.site = site;
  block.set_requested(bytes);
  block.residency.reset(home_);
  block.references.store(1, sync::relaxed);  // published with the tensor, by its user
  HeapCounters::add(counters_.requested_allocated, bytes);
  HeapCounters::add(counters_.blocks[size_class].allocated, std::uint64_t{1});
}

inline Block* Heap::take(std::size_t bytes, std::uint64_t list) noexcept {
  if (bytes > kLargestSlot) [[unlikely]]
    return take_span_again(bytes, list);
  const std::size_t index = size_class(bytes);
  const RoamingSites::Site site = next_site(index, list);
  const std::size_t kind = sites_.roams(site) ? kSizeClasses + index : index;
  Run& run = *first_[kind];
  const std::uint64_t free = run.free;
  if (free == 0) [[unlikely]]
    return nullptr;
  run.free = free & (free - 1);
  occupied_ += run.slot_bytes;
  Block& block = run.blocks[std::countr_zero(free)];
  start(block, bytes, index, site);
  if (run.free == 0) [[unlikely]]
    find_first(kind);
  return &block;
}

inline void Heap::put_slot(Block* block) noexcept {
  Run& run = *block->run;
  block->references.store(kBlockFree, sync::relaxed);
  occupied_ -= run.slot_bytes;
  run.free |= std::uint64_t{1} << (block - run.blocks);
  Run*& first = first_[run.kind];
  if (run.index < first->index) first = &run;
}

inline void Heap::give(Block* block) noexcept {
  if (block->references.load(sync::relaxed) != 1) [[unlikely]]
    misused(*block);
  HeapCounters::add_freed(counters_.requested_freed, block->requested());
  HeapCounters::add_freed(counters_.blocks[block->run->size_class].freed, std::uint64_t{1});
  if (block->run->is_slow || block->residency.has_foreign_uses()) [[unlikely]] {
    give_slowly(block);
    return;
  }
  put_slot(block);
}

}  // namespace HEDDLE_NS
