// HelpChain: a waiting thread follows waits from its own queue to a queue that it can run.
//
// Thread safety: an object on one thread's stack. Invariants: 1. Every queue except the first is pinned while it is in
// the chain. 2. Queues of the chain that become ready are not handed to the workers meanwhile; the destructor offers
// the remaining ones.
#pragma once

#include <chrono>
#include <cstddef>

#include "heddle/backends/cpu/queue.hpp"
#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cpu {

class HelpChain {
 public:
  HelpChain(CpuQueue& queue, Ticket ticket) noexcept : links_{{&queue, ticket}} {}
  ~HelpChain();
  HelpChain(const HelpChain&) = delete;
  HelpChain& operator=(const HelpChain&) = delete;

  // Runs lists for about kSlice. True if it ran one.
  bool run();
  bool contains(const CpuQueue& queue) const noexcept;

 private:
  static constexpr std::size_t kMostLinks = 16;  // deeper chains are left to the workers
  static constexpr sync::Duration kSlice = std::chrono::milliseconds(1);
  struct Link {
    CpuQueue* queue;
    Ticket ticket;
  };
  Link links_[kMostLinks];
  std::size_t depth_ = 1;
  bool followed_ = false;  // the chain has had more than one link
};

}  // namespace HEDDLE_NS::cpu
