// Inbox: blocks of one heap that were given back by threads that may not touch it.
//
// Posted in chains, one compare-exchange each; the heap's holder takes all that is there at once, so no block is ever
// unlinked by one thread while another looks at it.
// Thread safety: post() by any thread; take_all() by the holder of the heap (or who claimed it).
#pragma once

#include "heddle/base/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

class Inbox {
 public:
  Inbox() = default;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // The chain from `first` to `last`, linked by Block::next.
  void post(Block* first, Block* last) noexcept {
    Block* head = head_.load(sync::relaxed);
    do {
      last->set_next(head);
      // Release: counterpart is take_all(); what the freeing thread did with the blocks happens before their reuse.
    } while (!head_.compare_exchange_weak(head, first, sync::release, sync::relaxed));
  }

  bool empty() const noexcept { return head_.load(sync::relaxed) == nullptr; }
  // All that was posted, newest chain first; null when there is nothing.
  Block* take_all() noexcept {
    if (empty()) return nullptr;
    if (HEDDLE_PLANT(inbox_takes_in_two_steps)) {
      Block* all = head_.load(sync::acquire);
      head_.store(nullptr, sync::relaxed);
      return all;
    }
    return head_.exchange(nullptr, sync::acquire);
  }

 private:
  alignas(64) sync::Atomic<Block*> head_{nullptr};
};

}  // namespace HEDDLE_NS
