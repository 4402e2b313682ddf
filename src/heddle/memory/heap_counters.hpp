// HeapCounters: what a heap's holder did, read by any thread. Each counter has one writer, so counting needs no locked
// instruction. Blocks that other threads gave back are counted by those (Outbox): live = allocated here - freed here -
// freed elsewhere.
//
// Thread safety: add() and add_freed() by the one thread that may touch the heap; the rest by any.
// Invariant: counts of frees are stored with release and read first, with acquire; so a reader has seen the allocation
// of each block that it counts as freed, and no difference is below 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/size_class.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

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

}  // namespace HEDDLE_NS
