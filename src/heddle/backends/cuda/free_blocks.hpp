// FreeBlocks: the free blocks among many of one size; the lowest address goes first.
//
// Returning a block needs no host memory, because count_block() reserves its place. Works on addresses only.
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
  // Counts a new block and reserves its place among the free ones. Throws bad_alloc, having changed nothing.
  void count_block() {
    if (blocks_ == free_.capacity()) free_.reserve(std::max<std::size_t>(8, 2 * blocks_));
    ++blocks_;
  }
  // REQUIRES: the block was counted.
  void give(std::byte* block) noexcept {
    free_.push_back(block);
    std::push_heap(free_.begin(), free_.end(), std::greater<>());
  }
  // Null if none is free.
  std::byte* take() noexcept {
    if (free_.empty()) return nullptr;
    std::pop_heap(free_.begin(), free_.end(), std::greater<>());
    std::byte* const lowest = free_.back();
    free_.pop_back();
    return lowest;
  }

 private:
  std::vector<std::byte*> free_;  // a heap
  std::size_t blocks_ = 0;        // all blocks, free or not
};

}  // namespace HEDDLE_NS::cuda
