// Inbox: blocks of one heap that were given back by threads that may not touch it.
//
// Posted in chains, one compare-exchange each; the heap's holder takes all that is there at once, so no block is ever
// unlinked by one thread while another looks at it.
// Thread safety: post() by any thread; take_all() by the holder of the heap (or who claimed it).
#pragma once

#include <cstddef>
#include <span>

#include "heddle/base/prefetch.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

class Inbox {
 public:
  Inbox() = default;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Becomes a chain, linked by Block::next, last first: newer blocks lie before older ones.
  void post(std::span<Block* const> blocks) noexcept {
    // The lines of these blocks are in the poster's cache. Whoever takes them gets each from there, and knows where the
    // next one is only then; with a second link, to twice as far down the chain, the number of transfers that wait for
    // each other is the logarithm of the length.
    const auto at = [&](std::size_t i) { return i < blocks.size() ? blocks[blocks.size() - 1 - i] : nullptr; };
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      at(i)->set_next(at(i + 1));
      at(i)->set_ahead(at(2 * i + 2));
    }
    Block* const first = blocks.back();
    Block* const last = blocks.front();
    Block* head = head_.load(sync::relaxed);
    do {
      last->set_next(head);
      // Release: counterpart is take_all(); what the freeing thread did with the blocks happens before their reuse.
    } while (!head_.compare_exchange_weak(head, first, sync::release, sync::relaxed));
  }

  bool empty() const noexcept { return head_.load(sync::relaxed) == nullptr; }
  // All that was posted, newest chain first, linked by Block::next; who walks along it asks for next() and ahead() of
  // each block before it does anything with it (prefetch_next). Null when there is nothing.
  Block* take_all() noexcept {
    if (empty()) return nullptr;
    if (HEDDLE_PLANT(inbox_takes_in_two_steps)) {
      Block* all = head_.load(sync::acquire);
      head_.store(nullptr, sync::relaxed);
      return all;
    }
    return head_.exchange(nullptr, HEDDLE_PLANT(inbox_takes_relaxed) ? sync::relaxed : sync::acquire);
  }
  static void prefetch_next(const Block& block) noexcept {
    prefetch_for_write(block.next());
    prefetch_for_write(block.ahead());
  }

 private:
  alignas(64) sync::Atomic<Block*> head_{nullptr};
};

}  // namespace HEDDLE_NS
