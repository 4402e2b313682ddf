// SpanReplay: a SpanTree that answers without searching where a loop takes again what it took before.
//
// Remembers the last takes, in order. One that is given back while all behind it are back already is kept out of the
// tree: the set of free spans is then what it was just before that take, so a take of as many bytes has the same
// answer. Whatever else changes the set puts such spans into the tree first, and forgets. So answers are the tree's,
// always; only when the tree is asked differs. Thread safety: none; a heap's. Invariants: 1. takes_[0, live_) are out;
// takes_[live_, known_) are free, and not in the tree. 2. Between those takes nothing else changed the set of free
// spans.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/span_tree.hpp"

namespace HEDDLE_NS {

class SpanReplay {
 public:
  // Each as SpanTree's.
  std::byte* take(std::size_t bytes);
  void give(std::byte* base, std::size_t bytes) noexcept {
    if (live_ == 0 || takes_[live_ - 1].base != base) [[unlikely]]
      return give_to_tree(base, bytes);
    --live_;
  }
  void expect(std::size_t spans) { tree_.expect(spans); }
  void add(std::byte* base, std::size_t bytes);
  void cut(Span span);
  std::vector<Span> spans();
  void clear() noexcept;
  std::size_t bytes() const noexcept;
  std::size_t largest() noexcept;

  // take() where the answer is known; null where the tree has to be asked.
  std::byte* take_again(std::size_t bytes) noexcept {
    if (live_ == known_ || takes_[live_].bytes != bytes) return nullptr;
    return takes_[live_++].base;
  }

 private:
  void give_to_tree(std::byte* base, std::size_t bytes) noexcept;
  // Puts what is free into the tree; the takes that are out stay known.
  void settle() noexcept;
  void forget() noexcept {
    settle();
    known_ = live_ = 0;
  }

  static constexpr std::size_t kMost = 8;
  std::size_t live_ = 0, known_ = 0;
  std::array<Span, kMost> takes_{};
  SpanTree tree_;
};

}  // namespace HEDDLE_NS
