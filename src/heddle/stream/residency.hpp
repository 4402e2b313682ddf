// Where a piece of device memory belongs on the streams' timelines: its home stream, its last write, its uses
// elsewhere.
//
// Embedded in every memory block. Thread safety: last_write, note_use and note_write may be called by several threads
// at once, each with the lane whose lease it holds; settle(), reset() and start_noting() only by whoever owns
// the block alone (its allocator, once no tensor refers to it).
// Invariants: 1. `home` never changes while a tensor refers to the block. 2. Every command that touches the block from
// a stream other than `home` has its (stream, ticket) noted before the command can run. 3. A stream has at most one
// entry, which holds its latest ticket and which only its holder writes; so noting takes no lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

class Lane;
class StreamUses;

struct StreamUse {
  Lane* lane;
  Ticket ticket;
};

class Residency {
 public:
  Residency() = default;
  ~Residency();
  Residency(const Residency&) = delete;
  Residency& operator=(const Residency&) = delete;

  Lane* home() const noexcept { return home_; }
  // Made the block's by its allocator, before a tensor refers to it.
  void reset(Lane* home) noexcept {
    home_ = home;
    writer_.store(home, sync::relaxed);
    last_write_.store(0, sync::relaxed);
  }
  // From now on note_use() does nothing, and readers need not order themselves after the last write, which is
  // complete: reading writes nothing that threads share. Makes room for `streams` entries, so that noting does not
  // allocate after start_noting(). Throws bad_alloc, nothing is changed then. REQUIRES: no other thread uses the block
  // yet.
  void stop_noting(std::size_t streams);
  // The contrary; the uses since then are unknown, and none is noted.
  void start_noting() noexcept;

  // Relaxed: a reader on another thread got its tensor through a synchronisation of the user's.
  StreamUse last_write() const noexcept {
    return {writer_.load(sync::relaxed), Ticket{last_write_.load(sync::relaxed)}};
  }
  void note_write(Lane* lane, Ticket ticket) noexcept {
    writer_.store(lane, sync::relaxed);
    last_write_.store(ticket.value, sync::relaxed);
  }

  // A word of the allocator's, in the place of the last write. REQUIRES: no tensor refers to the block, until reset().
  void lend(std::uintptr_t word) noexcept { last_write_.store(word, sync::relaxed); }
  std::uintptr_t lent() const noexcept { return last_write_.load(sync::relaxed); }

  // A use by a stream other than home. Keeps the latest ticket of each stream. Throws bad_alloc where there is no room.
  // REQUIRES: the caller holds lane's lease, or owns the block alone.
  void note_use(Lane* lane, Ticket ticket);
  // False: certainly none. Acquire is not needed by an owner: dropping the last reference made the uses visible.
  bool has_foreign_uses() const noexcept { return uses_.load(sync::relaxed) != nullptr; }
  // True when every foreign use is complete; then forgets them. REQUIRES: no tensor refers to the block.
  bool settle() noexcept;
  // One of the uses that settle() found unfinished.
  StreamUse first_use() const noexcept;

 private:
  Lane* home_ = nullptr;
  sync::Atomic<Lane*> writer_{nullptr};
  sync::Atomic<std::uint64_t> last_write_{0};
  sync::Atomic<StreamUses*> uses_{nullptr};  // first of a chain; null: no foreign use
};

}  // namespace HEDDLE_NS
