// Free spans of the device's segments: best fit, lowest address first among equals, neighbours joined at once.
//
// Works on addresses only; the memory is never touched. Thread safety: none; guarded by its user's mutex.
// Invariants: 1. no two free spans touch or overlap. 2. a span lies within one segment.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS {

class SpanMap {
 public:
  struct Segment {
    std::byte* base;
    std::size_t bytes;
  };

  // Adds a segment, all free.
  void add_segment(std::byte* base, std::size_t bytes);
  // The lowest of the smallest free spans of at least `bytes`, cut to `bytes`; null when none fits.
  std::byte* take(std::size_t bytes);
  void give(std::byte* address, std::size_t bytes);
  // Removes the segments that are free as a whole, and returns them.
  std::vector<Segment> remove_idle_segments();
  std::vector<Segment> segments() const;
  std::size_t free_bytes() const noexcept { return free_bytes_; }
  std::size_t largest_free() const noexcept { return by_size_.empty() ? 0 : by_size_.rbegin()->first; }

 private:
  void insert(std::byte* address, std::size_t bytes);
  void erase(std::map<std::byte*, std::size_t>::iterator span);

  std::map<std::byte*, std::size_t> segments_;
  std::map<std::byte*, std::size_t> by_address_;
  std::set<std::pair<std::size_t, std::byte*>> by_size_;
  std::size_t free_bytes_ = 0;
};

}  // namespace HEDDLE_NS
