#include "heddle/memory/span_tree.hpp"

#include <algorithm>
#include <functional>

#include "heddle/base/check.hpp"
#include "heddle/sync/fault_point.hpp"

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
  if (needed <= nodes_.capacity()) return;
  sync::require_host_memory();
  nodes_.reserve(std::max(needed, 2 * nodes_.capacity()));
}

bool SpanTree::less(Order order, const Span& a, const Span& b) const noexcept {
  if (order == kSize && a.bytes != b.bytes) return a.bytes < b.bytes;
  return std::less<>()(a.base, b.base);
}

SpanTree::Index SpanTree::merge(Order order, Index low, Index high) noexcept {
  if (low == kNone) return high;
  if (high == kNone) return low;
  if (nodes_[low].priority > nodes_[high].priority) {
    nodes_[low].right[order] = merge(order, nodes_[low].right[order], high);
    return low;
  }
  nodes_[high].left[order] = merge(order, low, nodes_[high].left[order]);
  return high;
}

void SpanTree::split(Order order, Index node, const Span& at, Index* below, Index* rest) noexcept {
  if (node == kNone) {
    *below = *rest = kNone;
  } else if (less(order, nodes_[node].span, at)) {
    *below = node;
    split(order, nodes_[node].right[order], at, &nodes_[node].right[order], rest);
  } else {
    *rest = node;
    split(order, nodes_[node].left[order], at, below, &nodes_[node].left[order]);
  }
}

SpanTree::Index SpanTree::insert(Order order, Index node, Index added) noexcept {
  if (node == kNone || nodes_[added].priority > nodes_[node].priority) {
    split(order, node, nodes_[added].span, &nodes_[added].left[order], &nodes_[added].right[order]);
    return added;
  }
  const bool low = less(order, nodes_[added].span, nodes_[node].span);
  Index& side = low ? nodes_[node].left[order] : nodes_[node].right[order];
  side = insert(order, side, added);
  return node;
}

SpanTree::Index SpanTree::remove(Order order, Index node, Index removed) noexcept {
  if (node == removed) return merge(order, nodes_[node].left[order], nodes_[node].right[order]);
  const bool low = less(order, nodes_[removed].span, nodes_[node].span);
  Index& side = low ? nodes_[node].left[order] : nodes_[node].right[order];
  side = remove(order, side, removed);
  return node;
}

SpanTree::Index SpanTree::at_or_above(Order order, const Span& at) const noexcept {
  Index found = kNone;
  for (Index node = roots_[order]; node != kNone;) {
    const bool is_below = less(order, nodes_[node].span, at);
    if (!is_below) found = node;
    node = is_below ? nodes_[node].right[order] : nodes_[node].left[order];
  }
  return found;
}

SpanTree::Index SpanTree::below(Order order, const Span& at) const noexcept {
  Index found = kNone;
  for (Index node = roots_[order]; node != kNone;) {
    const bool is_below = less(order, nodes_[node].span, at);
    if (is_below) found = node;
    node = is_below ? nodes_[node].right[order] : nodes_[node].left[order];
  }
  return found;
}

void SpanTree::create(Span span) noexcept {
  Index node = unused_;
  if (node == kNone) {
    HEDDLE_DCHECK(nodes_.size() < nodes_.capacity(), "a span came back for which no room was kept");
    node = static_cast<Index>(nodes_.size());
    nodes_.emplace_back();
  } else {
    unused_ = nodes_[node].left[kAddress];
  }
  nodes_[node] = {span, priority_of(span.base), {kNone, kNone}, {kNone, kNone}};
  ++count_;
  for (const Order order : {kAddress, kSize}) roots_[order] = insert(order, roots_[order], node);
}

void SpanTree::destroy(Index node) noexcept {
  for (const Order order : {kAddress, kSize}) roots_[order] = remove(order, roots_[order], node);
  nodes_[node].left[kAddress] = unused_;
  unused_ = node;
  --count_;
}

void SpanTree::change(Index node, Span to) noexcept {
  roots_[kSize] = remove(kSize, roots_[kSize], node);
  nodes_[node].span = to;
  nodes_[node].left[kSize] = nodes_[node].right[kSize] = kNone;
  roots_[kSize] = insert(kSize, roots_[kSize], node);
}

std::byte* SpanTree::take(std::size_t bytes) {
  const Index fit = at_or_above(kSize, {nullptr, bytes});
  if (fit == kNone) return nullptr;
  reserve(1);
  const Span span = nodes_[fit].span;
  if (span.bytes == bytes) {
    destroy(fit);
  } else {
    change(fit, {span.base + bytes, span.bytes - bytes});
  }
  ++taken_;
  bytes_ -= bytes;
  return span.base;
}

std::byte* SpanTree::take_away(std::size_t bytes) {
  std::byte* const base = take(bytes);
  if (base != nullptr) --taken_;
  return base;
}

void SpanTree::cut(std::byte* base, std::size_t bytes) {
  reserve(2);
  const Index index = below(kAddress, {base + 1, 0});
  HEDDLE_CHECK(index != kNone && base + bytes <= nodes_[index].span.base + nodes_[index].span.bytes,
               "a span is cut out of memory that is not free");
  const Span span = nodes_[index].span;
  const auto before = static_cast<std::size_t>(base - span.base);
  const std::size_t behind = span.bytes - before - bytes;
  if (before > 0) {
    change(index, {span.base, before});
  } else {
    destroy(index);
  }
  if (behind > 0) create({base + bytes, behind});
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
  const Index before = below(kAddress, {base, 0});
  const Index behind = at_or_above(kAddress, {base, 0});
  HEDDLE_DCHECK(before == kNone || nodes_[before].span.base + nodes_[before].span.bytes <= base,
                "a span is given back twice");
  HEDDLE_DCHECK(behind == kNone || base + bytes <= nodes_[behind].span.base, "a span is given back twice");
  if (behind != kNone && base + bytes == nodes_[behind].span.base) {
    bytes += nodes_[behind].span.bytes;
    destroy(behind);
  }
  if (before != kNone && nodes_[before].span.base + nodes_[before].span.bytes == base) {
    change(before, {nodes_[before].span.base, nodes_[before].span.bytes + bytes});
  } else {
    create({base, bytes});
  }
}

std::vector<Span> SpanTree::spans() const {
  std::vector<Span> all;
  all.reserve(count_);
  for (Index node = at_or_above(kAddress, {}); node != kNone;) {
    all.push_back(nodes_[node].span);
    node = at_or_above(kAddress, {nodes_[node].span.base + 1, 0});
  }
  return all;
}

std::size_t SpanTree::largest() const noexcept {
  Index node = roots_[kSize];
  if (node == kNone) return 0;
  while (nodes_[node].right[kSize] != kNone) node = nodes_[node].right[kSize];
  return nodes_[node].span.bytes;
}

void SpanTree::clear() noexcept {
  nodes_.clear();
  roots_[kAddress] = roots_[kSize] = unused_ = kNone;
  count_ = bytes_ = 0;
}

}  // namespace HEDDLE_NS
