// SpanBlocks: the blocks of one heap that have a span of their own, and those that are ready for the next span.
//
// Thread safety: none; a heap's. Giving one back allocates no host memory.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/size_class.hpp"

namespace HEDDLE_NS {

struct SpanBlock : Block {
  std::size_t bytes = 0;  // of its span
};

class SpanBlocks {
 public:
  SpanBlocks(Heap* heap, DeviceMemory* memory) noexcept {
    for (Run* run : {&staying_, &roaming_}) {
      run->size_class = kSizeClasses;
      run->is_slow = true;
      run->heap = heap;
      run->memory = memory;
    }
    roaming_.is_roaming = true;
  }
  SpanBlocks(const SpanBlocks&) = delete;
  SpanBlocks& operator=(const SpanBlocks&) = delete;

  bool has_unused() const noexcept { return unused_ != nullptr; }
  // Makes one where there is none. Throws bad_alloc.
  void expect() {
    if (unused_ != nullptr) return;
    chunks_.push_back(std::make_unique<Chunk>());
    for (SpanBlock& block : *chunks_.back()) put(&block);
  }
  // REQUIRES: has_unused().
  SpanBlock* take(std::byte* base, std::size_t bytes, bool roaming) noexcept {
    auto* const block = static_cast<SpanBlock*>(std::exchange(unused_, unused_->next()));
    block->data = base;
    block->bytes = bytes;
    block->run = roaming ? &roaming_ : &staying_;
    return block;
  }
  void put(SpanBlock* block) noexcept { block->set_next(std::exchange(unused_, block)); }
  template <class Visit>
  void visit(const Visit& visit) const {
    for (const auto& chunk : chunks_) {
      for (const SpanBlock& block : *chunk) visit(block);
    }
  }

 private:
  using Chunk = std::array<SpanBlock, 16>;
  Run staying_, roaming_;  // what span blocks refer to
  Block* unused_ = nullptr;
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace HEDDLE_NS
