// DeferredFrees: external blocks that were dropped while in use, and for which no handler could be registered. A later
// thread takes them all and tries again; the last one closes it.
//
// Thread safety: all members, from any thread.
// Invariants: 1. A block that was posted is in what one take_all() or close() returns, once; one that comes after
// close() is refused. 2. What happened before close() happened before a refusal. 3. A thread that has posted touches
// nothing of this object any more: with its last block the memory may go.
#pragma once

#include <bit>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

class DeferredFrees {
 public:
  DeferredFrees() = default;
  DeferredFrees(const DeferredFrees&) = delete;
  DeferredFrees& operator=(const DeferredFrees&) = delete;

  // False (the block is still the caller's) once closed.
  bool post(Block* block) noexcept {
    Block* head = head_.load(sync::acquire);
    do {
      if (head == closed()) return false;
      block->set_next(head);
      // Release: counterpart is whoever takes it. Acquire: a refusal of the next round sees what came before close().
    } while (!head_.compare_exchange_weak(head, block, sync::acq_rel, sync::acquire));
    return true;
  }

  bool empty() const noexcept { return is_empty(head_.load(sync::relaxed)); }
  // All that was posted, linked by Block::next; null when there is nothing.
  Block* take_all() noexcept {
    Block* head = head_.load(sync::relaxed);
    while (!is_empty(head)) {
      if (head_.compare_exchange_weak(head, nullptr, sync::acquire, sync::relaxed)) return head;
    }
    return nullptr;
  }
  // The same, and nothing comes any more. Called once.
  Block* close() noexcept {
    return head_.exchange(HEDDLE_PLANT(frees_deferred_for_ever) ? nullptr : closed(), sync::acq_rel);
  }

 private:
  // No block's address.
  static Block* closed() noexcept { return std::bit_cast<Block*>(std::uintptr_t{1}); }
  static bool is_empty(const Block* head) noexcept { return head == nullptr || head == closed(); }

  sync::Atomic<Block*> head_{nullptr};
};

}  // namespace HEDDLE_NS
