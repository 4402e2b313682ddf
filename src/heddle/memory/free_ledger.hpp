// FreeLedger: the outboxes of one memory, what was freed through them, and who owns the memory once it is retired.
//
// Shared by the memory and by the threads that free into it, because a thread may give back the last block, and with it
// end the memory, or exit after the memory is gone.
// Thread safety: all members. Locks: mutex_ (kOutboxes).
// Invariant: live blocks = expected_ - freed, once retired; the owner is dropped by whoever brings that to 0, once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/outbox.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class FreeLedger : public std::enable_shared_from_this<FreeLedger> {
 public:
  FreeLedger();

  // Unique in the process, never reused: what a thread's cache compares.
  std::uint64_t id() const noexcept { return id_; }

  // The calling thread's outbox; null while the thread's own objects are being destroyed. Throws nothing: without host
  // memory for one it is null too.
  Outbox* outbox() noexcept;
  // A block was posted without an outbox.
  void count(std::size_t requested, std::size_t rounded) noexcept;
  // Posts what is in the calling thread's outbox.
  void flush_own() noexcept;
  // Posts what is in all outboxes, but for those whose thread is inside at this moment.
  void flush_all() noexcept;
  FreedCounts freed() const noexcept;

  // From now on `allocated` blocks, less what was freed, are live, and no more are allocated. Returns the owner if
  // there is none now.
  std::shared_ptr<void> retire(std::uint64_t allocated, std::shared_ptr<void> owner) noexcept;
  // After each block that was freed: the owner, to be dropped, if that was the last block. Cheap before retire().
  std::shared_ptr<void> settle(const Outbox* outbox) noexcept;
  // The memory goes. Waits for threads that are inside their outboxes, which takes them a few instructions.
  void close() noexcept;
  // The thread of `outbox` ends.
  void detach(Outbox& outbox) noexcept;
  bool closed() const noexcept { return closed_.load(sync::acquire); }

 private:
  Outbox* find_or_attach();
  std::shared_ptr<Outbox> attach();
  FreedCounts freed_locked() const noexcept HEDDLE_REQUIRES(mutex_);
  std::shared_ptr<void> settle_locked() noexcept HEDDLE_REQUIRES(mutex_);

  const std::uint64_t id_;
  mutable sync::Mutex mutex_{Rank::kOutboxes};
  std::vector<std::shared_ptr<Outbox>> outboxes_ HEDDLE_GUARDED_BY(mutex_);
  FreedCounts ended_ HEDDLE_GUARDED_BY(mutex_);  // of threads that ended, or freed without an outbox
  std::uint64_t expected_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<void> owner_ HEDDLE_GUARDED_BY(mutex_);
  sync::Atomic<bool> retired_{false};
  sync::Atomic<bool> closed_{false};
};

}  // namespace HEDDLE_NS
