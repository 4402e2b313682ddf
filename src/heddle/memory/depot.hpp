// Depot: free memory that no heap owns, with the tickets behind which it may be used.
//
// Whole spans come in, when a heap surrenders them, each with the ticket of its last use on that heap's stream; once
// the ticket passed they are ready, and neighbours join. Sharded, so that streams that refill at once seldom meet:
// each begins at its own shard and then asks the others.
// Thread safety: all members. Locks: one mutex a shard (kAllocator), one at a time.
// Invariants: 1. a span is in one shard, ready or waiting. 2. bytes() counts what is in all shards; it is exact while
// nobody gives or takes.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "heddle/base/namespace.hpp"
#include "heddle/device/ticket.hpp"
#include "heddle/memory/segments.hpp"
#include "heddle/memory/span_tree.hpp"
#include "heddle/stream/residency.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class Depot {
 public:
  static constexpr std::size_t kShards = 4;
  struct Waiting {
    Span span;
    StreamUse last;  // of the span; lane null: none
  };

  // `last`: of all these spans; its lane names the shard. Throws bad_alloc, nothing is changed then.
  void give(const std::vector<Span>& spans, StreamUse last);
  // `wanted` bytes, or else `least`, that `taker` may use at once: ready, or last used by that very stream. An empty
  // span when there are none.
  Span take(const Lane& taker, std::size_t wanted, std::size_t least);
  // At least `bytes`, cut to that, whose ticket is committed but has not passed: usable behind a wait for it.
  Waiting take_waiting(std::size_t bytes);
  // Makes neighbours of different shards join, so that take() finds the largest span there is.
  void gather();
  // Takes out the segments that are ready as a whole, `most` bytes or a little more.
  std::vector<Span> take_segments(const Segments& segments, std::size_t most);

  struct Totals {
    std::size_t ready = 0;    // bytes
    std::size_t waiting = 0;  // bytes
    std::size_t largest = 0;  // ready span
  };
  Totals totals() const;

 private:
  struct Shard {
    mutable sync::Mutex mutex{Rank::kAllocator};
    SpanTree ready HEDDLE_GUARDED_BY(mutex);
    std::vector<Waiting> waiting HEDDLE_GUARDED_BY(mutex);
  };
  static void settle(Shard& shard) HEDDLE_REQUIRES(shard.mutex);
  // Cuts `bytes` off the n-th waiting span.
  static Waiting cut_waiting(Shard& shard, std::size_t index, std::size_t bytes) HEDDLE_REQUIRES(shard.mutex);
  static Span take_from(Shard& shard, const Lane& taker, std::size_t bytes) HEDDLE_REQUIRES(shard.mutex);
  Span take_any(const Lane& taker, std::size_t bytes);

  std::array<Shard, kShards> shards_;
};

}  // namespace HEDDLE_NS
