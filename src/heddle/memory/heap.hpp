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
// Invariants: 1. owned = slots of all runs + free spans + span blocks (audit() checks it). 2. A block in the pending
// chain has an unfinished foreign use.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/heap_counters.hpp"
#include "heddle/memory/inbox.hpp"
#include "heddle/memory/need_forecast.hpp"
#include "heddle/memory/roaming_sites.hpp"
#include "heddle/memory/run_table.hpp"
#include "heddle/memory/size_class.hpp"
#include "heddle/memory/span_blocks.hpp"
#include "heddle/memory/span_replay.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

class Heap {
 public:
  // `home` (null only in tests of a heap alone) and `memory` outlive it.
  explicit Heap(Lane* home, DeviceMemory* memory = nullptr);
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
  bool may_flush_others() noexcept { return forecast_.may_flush_others(); }
  // Blocks from the inbox, and pending ones whose uses are done, become free. True when any did.
  bool collect() noexcept;
  // Makes room for so many add_memory() or drop(), which then do not throw. May throw bad_alloc.
  void expect_memory(std::size_t spans = 1);

  // How much this heap may own before it makes others of its empty runs rather than take more.
  std::size_t allowed_bytes(std::size_t slack) const noexcept { return forecast_.allowed_bytes(occupied_, slack); }

  // What blocks that stay and blocks that roam are made from is kept apart; these are about one of the two.
  void add_memory(Span span, bool roaming = false);
  // Bytes in runs without a live block.
  std::size_t empty_run_bytes(bool roaming) const noexcept { return runs_.empty_bytes(roaming); }
  // Runs without a live block become free spans again.
  void dissolve(bool roaming) noexcept { runs_.dissolve(roaming, spans_[roaming]); }
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
  void start(Block& block, std::size_t bytes, std::size_t size_class, RoamingSites::Site site) noexcept;
  void give_slowly(Block* block) noexcept;
  // The first run of the kind has become full.
  void note_full(std::size_t kind) noexcept;
  // The block's memory is free from now on: of a slot; of any block.
  void put_slot(Block* block) noexcept;
  void put(Block* block) noexcept;
  // put(), unless another stream still uses it: then it is pending, and the answer false.
  bool settle(Block* block) noexcept;
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

  Lane* const home_;
  std::uint64_t list_ = 0;
  RoamingSites::Ordinal ordinal_;  // of the next allocation in that list
  std::size_t occupied_ = 0;       // bytes of blocks that are not free: in use, on their way back, or pending
  RunTable runs_;
  HeapCounters counters_;
  RoamingSites sites_;
  NeedForecast forecast_;  // notes occupied_ when lists begin, runs become full and spans are taken
  Block* pending_ = nullptr;
  std::array<SpanReplay, 2> spans_;  // [0]: for what stays, [1]: for what roams
  SpanBlocks span_blocks_;
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
  const std::size_t kind = RunTable::kind(index, sites_.roams(site));
  Run& run = runs_.first(kind);
  if (run.free == 0) [[unlikely]]
    return nullptr;
  Block& block = run.take_lowest();
  occupied_ += run.slot_bytes;
  start(block, bytes, index, site);
  if (run.free == 0) [[unlikely]]
    note_full(kind);
  return &block;
}

inline void Heap::put_slot(Block* block) noexcept {
  Run& run = *block->run;
  block->references.store(kBlockFree, sync::relaxed);
  occupied_ -= run.slot_bytes;
  run.free |= std::uint64_t{1} << (block - run.blocks);
  runs_.note_free(run);
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
