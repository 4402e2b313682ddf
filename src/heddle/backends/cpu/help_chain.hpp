// HelpChain: a waiting thread follows waits from its own queue to one that it can run.
//
// Thread safety: an object of one thread's stack. Invariants: 1. Every queue but the first is pinned while it is in the
// chain. 2. Queues of the chain that become ready are not handed to the workers meanwhile; the destructor offers
// what is left.
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

  // Runs what this thread can, about kSlice long. True when it ran a list.
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
  bool followed_ = false;  // had more than one link
};

}  // namespace HEDDLE_NS::cpu
