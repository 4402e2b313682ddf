// HeapTable: the heaps of a device's streams, by stream.
//
// Thread safety: all members, but those marked [holder] only on the thread that holds the stream's lease (or has
// claimed it). The heaps themselves: as Heap says.
// Invariant: an entry is written once, by its stream's holder; the heap lives as long as the table.
#pragma once

#include <cstddef>
#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/heap.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

class FreeLedger;

class HeapTable {
 public:
  // Room for streams of ids up to `id_max`.
  explicit HeapTable(std::uint32_t id_max) : places_(id_max + std::size_t{1}), heaps_(new Entry[places_]()) {}
  ~HeapTable() {
    for (std::size_t id = 0; id < places_; ++id) delete heaps_[id].load(sync::acquire);
  }
  HeapTable(const HeapTable&) = delete;
  HeapTable& operator=(const HeapTable&) = delete;

  // [holder] Null: that stream has allocated nothing.
  Heap* own(const Lane& lane) const noexcept {
    return heaps_[lane.id().value].load(sync::relaxed);  // written by a holder of this lease, which the caller has now
  }
  // [holder] Makes the heap at first use.
  Heap& make(Lane& lane, DeviceMemory* memory);
  // The same as own(), for any thread.
  Heap* find(const Lane& lane) const noexcept { return heaps_[lane.id().value].load(sync::acquire); }

  // How many there are.
  std::size_t size() const noexcept { return size_.load(sync::relaxed); }
  // How many there can be.
  std::size_t places() const noexcept { return places_; }
  // Calls `visit` with each stream's id and heap.
  template <class Visit>
  void visit(const Visit& visit) const {
    for (std::size_t id = 0; id < places_; ++id) {
      if (Heap* const heap = heaps_[id].load(sync::acquire)) visit(id, *heap);
    }
  }

  // The bytes that live blocks occupy: at least those at some moment during the call, and more where other threads
  // allocated and freed meanwhile.
  std::size_t rounded_now(const FreeLedger& ledger) const noexcept;
  // At most their bytes at one moment during the call: counts of allocations are read before counts of frees.
  std::size_t rounded_at_least(const FreeLedger& ledger) const noexcept;

 private:
  using Entry = sync::Atomic<Heap*>;
  const std::size_t places_;
  const std::unique_ptr<Entry[]> heaps_;
  sync::Atomic<std::size_t> size_{0};
};

}  // namespace HEDDLE_NS
