// Reclaim: moves free memory from heaps to the depot, and from the depot back to the device.
//
// Thread safety: all members; those that take a heap only on a thread that may touch it. Locks: none of its own but
// the flight's (kReclaim), which is not held while memory moves.
#pragma once

#include <cstddef>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/memory_parts.hpp"
#include "heddle/memory/single_flight.hpp"
#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

class Reclaim {
 public:
  // Both outlive it.
  Reclaim(MemoryParts& parts, LanePool& pool) noexcept : parts_(parts), pool_(pool) {}

  // Empty runs of the heap become free spans again.
  static void dissolve(Heap& heap) noexcept;
  // Moves what a heap does not use into the depot.
  void surrender(Heap& heap) noexcept;
  // Moves segments that are free as a whole, of `most` bytes in all, into the depot.
  void pass_on(Heap& heap, std::size_t most, bool roaming) noexcept;

  enum class From : unsigned char { kIdle, kUnleased };  // streams that are not being recorded; that no thread holds
  // Empties outboxes and surrenders what those streams' heaps do not use. Throws bad_alloc.
  void from_others(From from);
  // The same from all idle ones, by one of the threads that ask at once; the others wait until it is done, except where
  // waiting is forbidden.
  void from_others_once_for_all();

  // Idle segments go back to the device: `most` bytes or a little more. Returns the bytes. Throws bad_alloc.
  std::size_t give_back(std::size_t most);
  // The same down to the low mark where more than the high mark is reserved. What loops use stays theirs: only the
  // depot and the heaps of streams that no thread holds are asked.
  void give_back_above_high() noexcept;

 private:
  MemoryParts& parts_;
  LanePool& pool_;
  SingleFlight flight_;
};

}  // namespace HEDDLE_NS
