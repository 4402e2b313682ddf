// FreeBlocks: the free ones of many blocks of one size, the lowest address first.
//
// Giving one back needs no host memory, as room for all of them is made when they are made. Works on addresses only.
// Thread safety: none; guarded by its user's mutex.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cuda {

class FreeBlocks {
 public:
  // There is one more block: what is given back later has its place. Throws bad_alloc, and nothing changed.
  void count_block() {
    if (blocks_ == free_.capacity()) free_.reserve(std::max<std::size_t>(8, 2 * blocks_));
    ++blocks_;
  }
  // REQUIRES: counted.
  void give(std::byte* block) noexcept {
    free_.push_back(block);
    std::push_heap(free_.begin(), free_.end(), std::greater<>());
  }
  // Null where none is free.
  std::byte* take() noexcept {
    if (free_.empty()) return nullptr;
    std::pop_heap(free_.begin(), free_.end(), std::greater<>());
    std::byte* const lowest = free_.back();
    free_.pop_back();
    return lowest;
  }

 private:
  std::vector<std::byte*> free_;  // a heap
  std::size_t blocks_ = 0;        // that exist, free or not
};

}  // namespace HEDDLE_NS::cuda
