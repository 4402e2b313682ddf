// The stores that a thread has made but other threads do not see yet, under Limits::store_buffer.
//
// Each thread has its own buffer, whose oldest store may become visible at any moment (total store order). Such a
// buffer is a *flusher*: a thread of the execution without a body, whose next operation is always to flush the oldest
// store, and which is enabled while there is one. So strategies, bounds and sleep sets cover buffers as they cover
// threads. A step that waits for flushes (a full buffer, a locked operation, a fence) is an operation that is disabled
// until they are done.
//
// Invariants: stores are numbered in the order in which they are made, over all threads; a buffer holds at most
// capacity() of them, ordered by number.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "heddle_check/core/object.hpp"
#include "heddle_check/core/operation.hpp"
#include "heddle_check/core/vector_clock.hpp"

namespace heddle_check {

struct PendingStore {
  ObjectId object = kNoObject;
  void* target = nullptr;  // the atomic's value; null: the atomic was destroyed by the thread that made the store
  std::uint32_t bytes = 0;
  std::uint64_t bits = 0;
  std::uint32_t time = 0;  // of the thread that made it
  Knowledge released;      // what an acquiring load learns
  Site site{};
  std::uint64_t number = 0;
};

class StoreBuffers {
 public:
  void begin(std::uint32_t capacity);
  std::uint32_t capacity() const noexcept { return capacity_; }  // 0: stores are visible immediately

  bool empty(ThreadId owner) const noexcept { return (filled_ & bit(owner)) == 0; }
  bool full(ThreadId owner) const noexcept { return buffers_[owner].size() == capacity_; }
  const PendingStore& oldest(ThreadId owner) const noexcept { return buffers_[owner].front(); }
  // The last store by `owner` to the object; null: none is pending.
  const PendingStore* newest(ThreadId owner, ObjectId object) const noexcept;
  void add(ThreadId owner, PendingStore store);
  PendingStore take(ThreadId owner);
  // The object is destroyed. Its owner's own stores to it lose their effect; true: stores of other threads are pending
  // too.
  bool forget(ThreadId owner, ObjectId object) noexcept;

  // The object of the owner's store operations; no other thread uses it.
  ObjectRef& object_of(ThreadId owner) noexcept { return objects_[owner]; }

  // The flusher of an owner. kNoThread: none yet.
  ThreadId flusher_of(ThreadId owner) const noexcept { return flushers_[owner]; }
  ThreadId owner_of(ThreadId flusher) const noexcept { return owners_[flusher]; }
  bool is_flusher(ThreadId thread) const noexcept { return (all_flushers_ & bit(thread)) != 0; }
  void set_flusher(ThreadId owner, ThreadId flusher) noexcept;

  // `thread` continues when the stores with numbers below `before` of the threads `of` are visible. False: they already
  // are.
  bool wait(ThreadId thread, ThreadMask of, std::uint64_t before) noexcept;
  std::uint64_t next_number() const noexcept { return next_number_; }
  // The threads whose wait has ended; each is returned once.
  ThreadMask end_waits() noexcept;

 private:
  struct Wait {
    ThreadMask of;
    std::uint64_t before;
  };
  bool pending(const Wait& wait) const noexcept;

  std::uint32_t capacity_ = 0;
  std::uint64_t next_number_ = 0;
  ThreadMask filled_ = 0;
  ThreadMask all_flushers_ = 0;
  ThreadMask waiting_ = 0;
  std::array<std::vector<PendingStore>, kMaxThreads> buffers_;
  std::array<ObjectRef, kMaxThreads> objects_{};
  std::array<ThreadId, kMaxThreads> flushers_{};
  std::array<ThreadId, kMaxThreads> owners_{};
  std::array<Wait, kMaxThreads> waits_{};
};

}  // namespace heddle_check
