// Free spans of memory by address: the lowest (or highest) that fits, neighbours joined at once.
//
// A treap over the addresses in which each node knows the largest span below it: every operation is O(log n). Its
// priorities are hashes of addresses. Its answers depend on the set of free spans only, never on the order of calls.
// Works on addresses; the memory is never touched. give() allocates no host memory: take() makes room for it.
// Thread safety: none; a heap's is its owner's, a depot's is guarded.
// Invariants: 1. no two spans touch or overlap. 2. a node's `largest` is the greatest `bytes` at or below it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS {

struct Span {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
};

class SpanTree {
 public:
  enum class End : unsigned char { kLow, kHigh };

  // The lowest `bytes` of the lowest span that has as many; or, kHigh, the highest of the highest. Null when none has.
  // May throw bad_alloc, nothing is changed then.
  std::byte* take(std::size_t bytes, End end = End::kLow);
  // As take(kLow), for spans that never come back here.
  std::byte* take_away(std::size_t bytes);
  // Gives back what take() gave.
  void give(std::byte* base, std::size_t bytes) noexcept;
  // Memory that was not taken from here. May throw as take().
  void add(std::byte* base, std::size_t bytes);
  // Takes exactly this, which lies within one span. May throw as take().
  void cut(std::byte* base, std::size_t bytes);

  std::vector<Span> spans() const;  // in order of address
  void clear() noexcept;
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t largest() const noexcept { return root_ == kNone ? 0 : nodes_[root_].largest; }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};
  struct Node {
    std::byte* base;
    std::size_t bytes;
    std::size_t largest;
    std::uint64_t priority;
    Index left, right;
  };
  void reserve(std::size_t more);
  void put(std::byte* base, std::size_t bytes) noexcept;
  Index create(std::byte* base, std::size_t bytes) noexcept;
  void update(Index node) noexcept;
  Index merge(Index low, Index high) noexcept;
  // `below`: spans that begin below `at`; `rest`: the others.
  void split(Index node, const std::byte* at, Index* below, Index* rest) noexcept;
  Index insert(Index node, Index added) noexcept;
  // Removes the span that begins at `base`.
  Index remove(Index node, const std::byte* base) noexcept;
  // The span that `base` is replaced by `to`, which keeps its place in the order.
  void change(Index node, const std::byte* base, Span to) noexcept;
  Index find_fit(std::size_t bytes, End end) const noexcept;
  // The last span that begins at or below `at`.
  Index find_at_or_below(const std::byte* at) const noexcept;
  Index find_above(const std::byte* at) const noexcept;

  std::vector<Node> nodes_;
  Index root_ = kNone;
  Index unused_ = kNone;   // nodes of no span, linked by `left`
  std::size_t count_ = 0;  // nodes in the tree
  std::size_t taken_ = 0;  // spans that may come back, each as one more node
  std::size_t bytes_ = 0;
};

}  // namespace HEDDLE_NS
