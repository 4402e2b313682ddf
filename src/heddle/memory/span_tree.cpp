#include "heddle/memory/span_tree.hpp"

#include <algorithm>

#include "heddle/base/check.hpp"

namespace HEDDLE_NS {
namespace {

std::uint64_t priority_of(const std::byte* base) noexcept {
  std::uint64_t bits = reinterpret_cast<std::uintptr_t>(base);
  bits = (bits ^ (bits >> 32)) * 0x9e3779b97f4a7c15;
  bits = (bits ^ (bits >> 29)) * 0xbf58476d1ce4e5b9;
  return bits ^ (bits >> 32);
}

}  // namespace

void SpanTree::reserve(std::size_t more) {
  const std::size_t needed = count_ + taken_ + more + 1;
  if (needed > nodes_.capacity()) nodes_.reserve(std::max(needed, 2 * nodes_.capacity()));
}

SpanTree::Index SpanTree::create(std::byte* base, std::size_t bytes) noexcept {
  ++count_;
  const Node node{base, bytes, bytes, priority_of(base), kNone, kNone};
  if (unused_ == kNone) {
    HEDDLE_DCHECK(nodes_.size() < nodes_.capacity(), "a span came back for which no room was kept");
    nodes_.push_back(node);
    return static_cast<Index>(nodes_.size() - 1);
  }
  const Index index = unused_;
  unused_ = nodes_[index].left;
  nodes_[index] = node;
  return index;
}

void SpanTree::update(Index node) noexcept {
  Node& own = nodes_[node];
  own.largest = own.bytes;
  if (own.left != kNone) own.largest = std::max(own.largest, nodes_[own.left].largest);
  if (own.right != kNone) own.largest = std::max(own.largest, nodes_[own.right].largest);
}

SpanTree::Index SpanTree::merge(Index low, Index high) noexcept {
  if (low == kNone) return high;
  if (high == kNone) return low;
  if (nodes_[low].priority > nodes_[high].priority) {
    nodes_[low].right = merge(nodes_[low].right, high);
    update(low);
    return low;
  }
  nodes_[high].left = merge(low, nodes_[high].left);
  update(high);
  return high;
}

void SpanTree::split(Index node, const std::byte* at, Index* below, Index* rest) noexcept {
  if (node == kNone) {
    *below = *rest = kNone;
  } else if (nodes_[node].base < at) {
    Index inner = kNone;
    split(nodes_[node].right, at, &inner, rest);
    nodes_[node].right = inner;
    update(node);
    *below = node;
  } else {
    Index inner = kNone;
    split(nodes_[node].left, at, below, &inner);
    nodes_[node].left = inner;
    update(node);
    *rest = node;
  }
}

SpanTree::Index SpanTree::insert(Index node, Index added) noexcept {
  if (node == kNone) return added;
  if (nodes_[added].priority > nodes_[node].priority) {
    Index below = kNone;
    Index rest = kNone;
    split(node, nodes_[added].base, &below, &rest);
    nodes_[added].left = below;
    nodes_[added].right = rest;
    update(added);
    return added;
  }
  Index& side = nodes_[added].base < nodes_[node].base ? nodes_[node].left : nodes_[node].right;
  side = insert(side, added);
  update(node);
  return node;
}

SpanTree::Index SpanTree::remove(Index node, const std::byte* base) noexcept {
  if (nodes_[node].base == base) {
    const Index joined = merge(nodes_[node].left, nodes_[node].right);
    nodes_[node].left = unused_;
    unused_ = node;
    --count_;
    return joined;
  }
  Index& side = base < nodes_[node].base ? nodes_[node].left : nodes_[node].right;
  side = remove(side, base);
  update(node);
  return node;
}

void SpanTree::change(Index node, const std::byte* base, Span to) noexcept {
  Node& own = nodes_[node];
  if (own.base == base) {
    own.base = to.base;  // its priority stays that of the old address: the order of the tree needs no more
    own.bytes = to.bytes;
  } else {
    change(base < own.base ? own.left : own.right, base, to);
  }
  update(node);
}

SpanTree::Index SpanTree::find_fit(std::size_t bytes, End end) const noexcept {
  if (largest() < bytes) return kNone;
  Index node = root_;
  while (true) {
    const Node& own = nodes_[node];
    const Index first = end == End::kLow ? own.left : own.right;
    if (first != kNone && nodes_[first].largest >= bytes) {
      node = first;
    } else if (own.bytes >= bytes) {
      return node;
    } else {
      node = end == End::kLow ? own.right : own.left;
    }
  }
}

SpanTree::Index SpanTree::find_at_or_below(const std::byte* at) const noexcept {
  Index found = kNone;
  for (Index node = root_; node != kNone;) {
    if (nodes_[node].base <= at) {
      found = node;
      node = nodes_[node].right;
    } else {
      node = nodes_[node].left;
    }
  }
  return found;
}

SpanTree::Index SpanTree::find_above(const std::byte* at) const noexcept {
  Index found = kNone;
  for (Index node = root_; node != kNone;) {
    if (nodes_[node].base > at) {
      found = node;
      node = nodes_[node].left;
    } else {
      node = nodes_[node].right;
    }
  }
  return found;
}

std::byte* SpanTree::take(std::size_t bytes, End end) {
  const Index fit = find_fit(bytes, end);
  if (fit == kNone) return nullptr;
  reserve(1);
  const Span span{nodes_[fit].base, nodes_[fit].bytes};
  const std::size_t left = span.bytes - bytes;
  if (left == 0) {
    root_ = remove(root_, span.base);
  } else {
    change(root_, span.base, {end == End::kLow ? span.base + bytes : span.base, left});
  }
  ++taken_;
  bytes_ -= bytes;
  return end == End::kLow ? span.base : span.base + left;
}

std::byte* SpanTree::take_away(std::size_t bytes) {
  std::byte* const base = take(bytes);
  if (base != nullptr) --taken_;
  return base;
}

void SpanTree::cut(std::byte* base, std::size_t bytes) {
  reserve(2);
  const Index index = find_at_or_below(base);
  HEDDLE_CHECK(index != kNone && base + bytes <= nodes_[index].base + nodes_[index].bytes,
               "a span is cut out of memory that is not free");
  const Span span{nodes_[index].base, nodes_[index].bytes};
  const auto before = static_cast<std::size_t>(base - span.base);
  const std::size_t behind = span.bytes - before - bytes;
  if (before > 0) {
    change(root_, span.base, {span.base, before});
  } else {
    root_ = remove(root_, span.base);
  }
  if (behind > 0) root_ = insert(root_, create(base + bytes, behind));
  bytes_ -= bytes;
}

void SpanTree::give(std::byte* base, std::size_t bytes) noexcept {
  HEDDLE_DCHECK(taken_ > 0, "a span is given back that was not taken");
  --taken_;
  put(base, bytes);
}

void SpanTree::add(std::byte* base, std::size_t bytes) {
  reserve(1);
  put(base, bytes);
}

void SpanTree::put(std::byte* base, std::size_t bytes) noexcept {
  bytes_ += bytes;
  const Index below = find_at_or_below(base);
  const Index above = find_above(base);
  HEDDLE_DCHECK(below == kNone || nodes_[below].base + nodes_[below].bytes <= base, "a span is given back twice");
  HEDDLE_DCHECK(above == kNone || base + bytes <= nodes_[above].base, "a span is given back twice");
  if (above != kNone && base + bytes == nodes_[above].base) {
    bytes += nodes_[above].bytes;
    root_ = remove(root_, nodes_[above].base);
  }
  if (below != kNone && nodes_[below].base + nodes_[below].bytes == base) {
    change(root_, nodes_[below].base, {nodes_[below].base, nodes_[below].bytes + bytes});
  } else {
    root_ = insert(root_, create(base, bytes));
  }
}

std::vector<Span> SpanTree::spans() const {
  std::vector<Span> all;
  all.reserve(count_);
  for (Index node = find_above(nullptr); node != kNone; node = find_above(nodes_[node].base)) {
    all.push_back({nodes_[node].base, nodes_[node].bytes});
  }
  return all;
}

void SpanTree::clear() noexcept {
  nodes_.clear();
  root_ = unused_ = kNone;
  count_ = bytes_ = 0;
}

}  // namespace HEDDLE_NS
