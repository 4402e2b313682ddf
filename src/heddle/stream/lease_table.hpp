// LeaseTable: the leases of one pool, explicit and implicit, and the claims on their gates.
//
// Thread safety: none; the pool's mutex guards it. LeaseSlot: as its members say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/owner_gate.hpp"

namespace HEDDLE_NS {

class Lane;

// One lease of one pool. Its thread enters the gate for each operation; other threads claim the gate under the pool's
// mutex.
struct LeaseSlot {
  sync::OwnerGate gate;
  Lane* lane = nullptr;  // null: revoked, or not taken yet. Changes only under the pool's mutex
  bool is_implicit = false;
  sync::Atomic<std::uint64_t> thread{0};  // the kernel's id of the thread that records with it; 0: detached
  sync::Atomic<bool> ended{false};        // its Lease is gone; what is left in a thread's table is an empty shell
  bool left_to_thread = false;            // its Lease is gone, and its thread keeps it; guarded by the pool's mutex

  // Another thread may take its lane when it is idle. REQUIRES: the pool's mutex is held.
  bool revocable() const noexcept { return is_implicit || left_to_thread; }
};

class LeaseTable {
 public:
  void add(std::shared_ptr<LeaseSlot> slot);
  void remove(const LeaseSlot& slot) noexcept;

  // Claims the gates of all leases, until they are withdrawn one by one or for good. A fence has to follow before a
  // gate is looked at (sync/owner_gate.hpp).
  void announce_all() noexcept {
    for (const auto& slot : slots_) slot->gate.announce();
  }
  auto begin() const noexcept { return slots_.begin(); }
  auto end() const noexcept { return slots_.end(); }

  // How many lanes the calling thread holds that become free by nothing that other threads do; of stream 0 only where
  // it counts.
  std::size_t kept_by_caller(bool with_main) const noexcept;
  // Which stream is held by which thread; empty when none is.
  std::string text() const;

 private:
  std::vector<std::shared_ptr<LeaseSlot>> slots_;
};

}  // namespace HEDDLE_NS
