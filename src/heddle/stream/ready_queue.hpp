// ReadyQueue: the handler queues that have something to run, in the order in which they became ready.
//
// Many threads push, without a lock: a stack that is taken whole and turned round (Treiber, "Systems Programming:
// Coping with Parallelism", 1986; since nothing is popped singly, an element that comes back cannot mislead a
// compare-exchange).
//
// Thread safety: push() and none_new(), from any thread; take() and empty() by one thread at a time, which the owner's
// mutex sees to. Invariant: a queue is here at most once (HandlerQueue::claim_schedule), so its link is its own.
#pragma once

#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/handler_queue.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

class ReadyQueue {
 public:
  void push(HandlerQueue& queue) noexcept {
    HandlerQueue* last = new_.load(sync::relaxed);
    do queue.next_ready_ = last;
    while (!new_.compare_exchange_weak(last, &queue, sync::seq_cst, sync::relaxed));
  }
  // The queue that became ready first; null when there is none.
  HandlerQueue* take() noexcept {
    if (in_order_ == nullptr) turn_round(new_.exchange(nullptr, sync::seq_cst));
    HandlerQueue* const first = in_order_;
    if (first != nullptr) in_order_ = first->next_ready_;
    return first;
  }
  bool empty() const noexcept { return in_order_ == nullptr && new_.load(sync::seq_cst) == nullptr; }
  // Nothing was pushed since take() last found nothing in order. A hint, for spinning.
  bool none_new() const noexcept { return new_.load(sync::relaxed) == nullptr; }

 private:
  void turn_round(HandlerQueue* last) noexcept {
    while (last != nullptr) {
      HandlerQueue* const before = std::exchange(last->next_ready_, in_order_);
      in_order_ = std::exchange(last, before);
    }
  }

  sync::Atomic<HandlerQueue*> new_{nullptr};  // the newest first
  HandlerQueue* in_order_ = nullptr;          // the oldest first
};

}  // namespace HEDDLE_NS
