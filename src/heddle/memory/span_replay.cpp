#include "heddle/memory/span_replay.hpp"

namespace HEDDLE_NS {

void SpanReplay::settle() noexcept {
  while (known_ > live_) {
    --known_;
    tree_.give(takes_[known_].base, takes_[known_].bytes);
  }
}

std::byte* SpanReplay::take(std::size_t bytes) {
  if (std::byte* const known = take_again(bytes)) return known;
  settle();
  std::byte* const base = tree_.take(bytes);
  if (base == nullptr) return nullptr;
  if (known_ == kMost) forget();
  takes_[known_] = {base, bytes};
  live_ = ++known_;
  return base;
}

void SpanReplay::give_to_tree(std::byte* base, std::size_t bytes) noexcept {
  forget();
  tree_.give(base, bytes);
}

void SpanReplay::add(std::byte* base, std::size_t bytes) {
  forget();
  tree_.add(base, bytes);
}

void SpanReplay::cut(Span span) {
  forget();
  tree_.cut(span.base, span.bytes);
}

std::vector<Span> SpanReplay::spans() {
  settle();
  return tree_.spans();
}

void SpanReplay::clear() noexcept {
  forget();
  tree_.clear();
}

std::size_t SpanReplay::bytes() const noexcept {
  std::size_t bytes = tree_.bytes();
  for (std::size_t i = live_; i < known_; ++i) bytes += takes_[i].bytes;
  return bytes;
}

std::size_t SpanReplay::largest() noexcept {
  settle();
  return tree_.largest();
}

}  // namespace HEDDLE_NS
