// Free spans of memory: the smallest that fits, the lowest of equals; neighbours are joined at once.
//
// Two treaps over the same nodes, one by address and one by size: every operation is O(log n). Priorities are hashes of
// addresses. Answers depend on the set of free spans only, never on the order of calls. Works on addresses; the memory
// is never touched. give() allocates no host memory: take() makes room for it.
// Thread safety: none; a heap's is its owner's, a depot's is guarded.
// Invariants: 1. no two spans touch or overlap. 2. each span's node is in both treaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

struct Span {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
};

class SpanTree {
 public:
  // The first `bytes` of the smallest span that has as many; null when none has. May throw bad_alloc, nothing is
  // changed then.
  std::byte* take(std::size_t bytes);
  // As take(), for spans that never come back here.
  std::byte* take_away(std::size_t bytes);
  // Gives back what take() gave.
  void give(std::byte* base, std::size_t bytes) noexcept;
  // The next `spans` calls of add() or cut() do not throw. May throw as take().
  void expect(std::size_t spans) { reserve(spans + 1); }
  // Memory that was not taken from here. May throw as take().
  void add(std::byte* base, std::size_t bytes);
  // Takes exactly this, which lies within one span. May throw as take().
  void cut(std::byte* base, std::size_t bytes);

  std::vector<Span> spans() const;  // in order of address
  void clear() noexcept;
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t largest() const noexcept;

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};
  enum Order : std::size_t { kAddress, kSize, kOrders };
  struct Node {
    Span span;
    std::uint64_t priority;
    Index left[kOrders], right[kOrders];
  };
  void reserve(std::size_t more);
  void put(std::byte* base, std::size_t bytes) noexcept;
  void create(Span span) noexcept;
  void destroy(Index node) noexcept;
  // Gives the node of a span another one, which keeps its place among the addresses.
  void change(Index node, Span to) noexcept;

  bool less(Order order, const Span& a, const Span& b) const noexcept;
  Index merge(Order order, Index low, Index high) noexcept;
  // `below`: the spans that are less than `at`; `rest`: the others.
  void split(Order order, Index node, const Span& at, Index* below, Index* rest) noexcept;
  Index insert(Order order, Index node, Index added) noexcept;
  Index remove(Order order, Index node, Index removed) noexcept;
  // The least that is not less than `at`, and the greatest that is less.
  Index at_or_above(Order order, const Span& at) const noexcept;
  Index below(Order order, const Span& at) const noexcept;

  std::vector<Node> nodes_;
  Index roots_[kOrders] = {kNone, kNone};
  Index unused_ = kNone;   // nodes of no span, linked by left[kAddress]
  std::size_t count_ = 0;  // spans
  std::size_t taken_ = 0;  // spans that may come back, each as one more node
  std::size_t bytes_ = 0;
};

}  // namespace HEDDLE_NS
