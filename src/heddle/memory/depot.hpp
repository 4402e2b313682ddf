// Depot: free memory that no heap owns, with the tickets after which it may be used.
//
// Whole spans come in, when a heap surrenders them, each with the ticket of its last use on that heap's stream; once
// the ticket passed they are ready, and neighbours join. Sharded, so that streams that refill at once seldom meet:
// each begins at its own shard and then asks the others.
// Thread safety: all members. Locks: one mutex a shard (kAllocator), one at a time.
// Invariants: 1. a span is in one shard, ready or waiting. 2. totals() counts what is in all shards; it is exact while
// no thread gives or takes.
#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/segments.hpp"
#include "heddle/memory/span_tree.hpp"
#include "heddle/stream/residency.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

class Depot {
 public:
  static constexpr std::size_t kShards = 4;

  // `last`: of all these spans; its lane names the shard. Throws bad_alloc, nothing is changed then.
  void give(const std::vector<Span>& spans, StreamUse last);
  // `wanted` bytes, or else `least`, that `taker` may use at once: ready, or last used by that very stream. An empty
  // span when there are none.
  Span take(const Lane& taker, std::size_t wanted, std::size_t least);
  // The last use of a span of at least `bytes` whose ticket is committed but has not passed; lane null: there is none.
  StreamUse find_waiting(std::size_t bytes);
  // `bytes` that may be used after a wait for `last`. An empty span when another thread has taken them.
  Span take_after(StreamUse last, std::size_t bytes);
  // Makes neighbours of different shards join, so that take() finds the largest span there is. Throws bad_alloc,
  // nothing is lost then.
  void gather();
  // Takes out the segments that are ready as a whole, `most` bytes or a little more; fewer where host memory runs out.
  // Throws as gather().
  std::vector<Span> take_segments(const Segments& segments, std::size_t most);

  struct Totals {
    std::size_t ready = 0;    // bytes
    std::size_t waiting = 0;  // bytes
    std::size_t largest = 0;  // ready span
  };
  Totals totals() const;
  // What waits for commands that their stream, another than `but`, has not committed: bytes of all such streams, and
  // the one of the largest span; null: there is none.
  struct Uncommitted {
    const Lane* stream = nullptr;
    std::size_t bytes = 0;
  };
  Uncommitted uncommitted(const Lane* but) const;

 private:
  struct Waiting {
    Span span;
    StreamUse last;  // of the span; lane null: none
  };
  using WaitingSpans = std::list<Waiting>;  // which move between lists without host memory
  struct Shard {
    mutable sync::Mutex mutex{Rank::kAllocator};
    SpanTree ready HEDDLE_GUARDED_BY(mutex);
    WaitingSpans waiting HEDDLE_GUARDED_BY(mutex);
  };
  static void put(Shard& shard, WaitingSpans&& spans) noexcept;
  // What has passed becomes ready; where host memory runs out, another time.
  static void settle(Shard& shard) noexcept HEDDLE_REQUIRES(shard.mutex);
  // Cuts `bytes` off a waiting span.
  static Span cut_waiting(Shard& shard, WaitingSpans::iterator waiting, std::size_t bytes) HEDDLE_REQUIRES(shard.mutex);
  static Span take_from(Shard& shard, const Lane& taker, std::size_t bytes) HEDDLE_REQUIRES(shard.mutex);
  Span take_any(const Lane& taker, std::size_t bytes);

  std::array<Shard, kShards> shards_;
};

}  // namespace HEDDLE_NS
