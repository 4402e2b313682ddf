// Outbox: blocks that one thread gave back and that belong to heaps it may not touch, on their way to the inboxes.
//
// Collected in chains, so that one compare-exchange posts up to 16 blocks. Posted when a chain is full or heavy, when
// the thread commits, allocates slowly or ends, and whenever somebody runs out of memory.
// Thread safety: add() and flush() by the thread it belongs to; flush_from_outside() by who holds the ledger's mutex,
// between announce() and withdraw() (sync/owner_gate.hpp); freed() by any thread.
// Invariants: 1. chains_ are touched inside the gate only. 2. A block is counted as freed after it is in a chain or an
// inbox, and the thread touches neither the block nor its heap from then on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/inbox.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/owner_gate.hpp"

namespace HEDDLE_NS {

struct FreedCounts {
  std::uint64_t blocks = 0;
  std::size_t requested = 0;  // bytes
  std::size_t rounded = 0;
};

class Outbox {
 public:
  static constexpr std::size_t kChains = 8;
  static constexpr std::uint32_t kMostBlocks = 16;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  Outbox() = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // `block` is on its way to `inbox`, and counted.
  void add(Inbox& inbox, Block* block, std::size_t requested, std::size_t rounded) noexcept;
  void flush() noexcept;

  void announce() noexcept { gate_.announce(); }
  void withdraw() noexcept { gate_.withdraw(); }
  // False: the thread is inside; nothing was posted.
  bool flush_from_outside() noexcept;

  FreedCounts freed() const noexcept;
  // The memory is to end with its last block: from now on each that is freed has to be counted at once (FreeLedger).
  void set_retired() noexcept { retired_.store(true, sync::release); }
  bool retired() const noexcept { return retired_.load(sync::acquire); }

 private:
  struct Chain {
    Inbox* inbox = nullptr;  // null: unused
    std::uint32_t count = 0;
    std::size_t bytes = 0;
    std::array<Block*, kMostBlocks> blocks;
  };
  Chain& chain_for(Inbox& inbox) noexcept;
  static void post(Chain& chain) noexcept;
  void post_all() noexcept;

  sync::OwnerGate gate_;
  std::size_t latest_ = 0;
  std::array<Chain, kChains> chains_;
  sync::Atomic<std::uint64_t> blocks_{0};  // written by the thread
  sync::Atomic<std::size_t> requested_{0}, rounded_{0};
  sync::Atomic<bool> retired_{false};
};

}  // namespace HEDDLE_NS
