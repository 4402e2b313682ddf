// Where a piece of device memory belongs on the streams' timelines: its home stream, its last write, its uses
// elsewhere.
//
// Embedded in every memory block. Thread safety: last_write and note_use may be called by several threads at once;
// settle() and reset() only by whoever owns the block alone (its allocator, once no tensor refers to it).
// Invariants: 1. `home` never changes while a tensor refers to the block. 2. Every command that touches the block from
// a stream other than `home` has its (stream, ticket) in uses() before the command can run.
#pragma once

#include <vector>

#include "heddle/base/namespace.hpp"
#include "heddle/device/ticket.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class Lane;

struct StreamUse {
  Lane* lane;
  Ticket ticket;
};

class Residency {
 public:
  Lane* home() const noexcept { return home_; }
  // Made the block's by its allocator, before a tensor refers to it.
  void reset(Lane* home) noexcept {
    home_ = home;
    writer_.store(home, sync::relaxed);
    last_write_.store(0, sync::relaxed);
  }

  // Relaxed: a reader on another thread got its tensor through a synchronisation of the user's.
  StreamUse last_write() const noexcept {
    return {writer_.load(sync::relaxed), Ticket{last_write_.load(sync::relaxed)}};
  }
  void note_write(Lane* lane, Ticket ticket) noexcept {
    writer_.store(lane, sync::relaxed);
    last_write_.store(ticket.value, sync::relaxed);
  }

  // A use by a stream other than home. Keeps the latest ticket of each stream.
  void note_use(Lane* lane, Ticket ticket);
  bool has_foreign_uses() const noexcept { return foreign_.load(sync::acquire); }
  // True when every foreign use is complete; then forgets them. REQUIRES: no tensor refers to the block.
  bool settle();
  // One of the uses that settle() found unfinished.
  StreamUse first_use() const;

 private:
  Lane* home_ = nullptr;
  sync::Atomic<Lane*> writer_{nullptr};
  sync::Atomic<std::uint64_t> last_write_{0};
  sync::Atomic<bool> foreign_{false};
  mutable sync::Mutex mutex_{Rank::kBlockUses};
  std::vector<StreamUse> uses_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS
