// Ladder: what an allocation tries when its heap has no free slot, rung by rung, and what each rung has yielded so far.
//
// The rungs are the two lists in ladder.cpp. The first is the search: what costs neither other threads nor a wait. The
// second is climbed when the search fails; after each of its rungs that does not itself allocate the search is
// repeated. A rung that runs users' code stands outside the single flight (Reclaim), before those that wait.
//
// Thread safety: all members, on a thread that may touch the heap. Locks: none of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/memory_parts.hpp"
#include "heddle/memory/reclaim.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

class Ladder {
 public:
  // Both outlive it.
  Ladder(MemoryParts& parts, LanePool& pool) noexcept : parts_(parts), reclaim_(parts, pool) {}

  // A block of at least `bytes` from `heap`, or null where nothing yields one; then nothing has changed that matters to
  // others. May commit and wait for the heap's stream, unless waiting is forbidden. Throws what those throw, and
  // bad_alloc. REQUIRES: the caller holds the lease of the heap's stream and is inside its gate, and holds no lock.
  Block* climb(Heap& heap, std::size_t bytes);

  Reclaim& reclaim() noexcept { return reclaim_; }
  // The most bytes that live blocks occupied, as seen when memory was obtained.
  std::size_t rounded_peak() const noexcept { return rounded_peak_.load(sync::relaxed); }
  // "depot 3 of 40, new segments 12 of 37": served of tried, for rungs that were ever tried.
  std::string text() const;

 private:
  struct Request {
    Heap& heap;
    std::size_t bytes;
    // A number that changes with the command list: Heap::take.
    std::uint64_t list() const noexcept { return heap.home()->committed().value; }
    bool roams() const noexcept { return heap.roams(bytes, list()); }
  };
  struct Rung {
    std::string_view name;
    Block* (Ladder::*step)(const Request&);         // null: it yields nothing by itself
    bool (Ladder::*applies)(const Request&) const;  // otherwise the rung is left out
    enum class Then : unsigned char { kGoOn, kSearch } then;
  };
  static constexpr std::size_t kSearchRungs = 4, kClimbRungs = 5;
  static const std::array<Rung, kSearchRungs> kSearch;
  static const std::array<Rung, kClimbRungs> kClimb;
  struct Count {
    sync::Atomic<std::uint64_t> tried{0}, yielded{0};
  };

  Block* search(const Request& request);
  Block* take(const Request& request);

  // --- conditions ---
  bool always(const Request&) const { return true; }
  bool own_runs_hold(const Request& request) const;
  bool may_wait(const Request&) const;
  // --- steps ---
  Block* use_own(const Request& request);
  Block* use_depot(const Request& request);
  Block* use_own_runs(const Request& request);
  Block* grow(const Request& request);
  Block* dissolve(const Request& request);
  Block* reclaim_from_others(const Request& request);
  Block* give_back(const Request& request);
  Block* use_after_wait(const Request& request);
  Block* wait_and_search(const Request& request);

  // A block of what empty runs of other sizes leave, where the heap would otherwise own more than it is allowed; null
  // where it may have more, or that does not do. What it owns beyond that goes to the depot.
  Block* remake_runs(const Request& request);
  // As much as a segment where there is one: pieces of several heaps in one segment seldom come together again.
  std::size_t wanted_bytes(const Request& request) const noexcept;
  void note_peak() noexcept;
  // False only where live blocks left too little, whatever others did meanwhile.
  bool could_ever_fit(std::size_t bytes) const noexcept;

  MemoryParts& parts_;
  Reclaim reclaim_;
  std::array<Count, kSearchRungs> search_counts_;
  std::array<Count, kClimbRungs> climb_counts_;
  sync::Atomic<std::size_t> rounded_peak_{0};
};

}  // namespace HEDDLE_NS
