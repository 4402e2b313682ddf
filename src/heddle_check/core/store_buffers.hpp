// The stores that a thread has made and other threads do not see yet, under Limits::store_buffer.
//
// Each thread's are in a buffer of its own; from it the oldest becomes visible at any moment (total store order). Such
// a buffer is a *flusher*: a thread of the execution without a body, whose next operation is always to flush the oldest
// store, and which can go on while there is one. So strategies, bounds and sleep sets cover buffers as they cover
// threads. What waits for flushes (a full buffer, a locked operation, a fence) is an operation that is disabled until
// they are done.
//
// Invariants: stores are numbered in the order in which they are made, over all threads; a buffer holds at most
// capacity() of them, by number.
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
  std::uint32_t capacity() const noexcept { return capacity_; }  // 0: stores are visible at once

  bool empty(ThreadId owner) const noexcept { return (filled_ & bit(owner)) == 0; }
  bool full(ThreadId owner) const noexcept { return buffers_[owner].size() == capacity_; }
  const PendingStore& oldest(ThreadId owner) const noexcept { return buffers_[owner].front(); }
  // The last that `owner` made to the object; null: none is pending.
  const PendingStore* newest(ThreadId owner, ObjectId object) const noexcept;
  void add(ThreadId owner, PendingStore store);
  PendingStore take(ThreadId owner);
  // The object is gone. Its owner's own stores to it have no effect any more; true: others' are pending too.
  bool forget(ThreadId owner, ObjectId object) noexcept;

  // What the owner's stores are operations on: an object that nobody else uses.
  ObjectRef& object_of(ThreadId owner) noexcept { return objects_[owner]; }

  // Who flushes for whom. kNoThread: nobody yet.
  ThreadId flusher_of(ThreadId owner) const noexcept { return flushers_[owner]; }
  ThreadId owner_of(ThreadId flusher) const noexcept { return owners_[flusher]; }
  bool is_flusher(ThreadId thread) const noexcept { return (all_flushers_ & bit(thread)) != 0; }
  void set_flusher(ThreadId owner, ThreadId flusher) noexcept;

  // `thread` goes on when the stores with numbers below `before` of the threads `of` are visible. False: they are.
  bool wait(ThreadId thread, ThreadMask of, std::uint64_t before) noexcept;
  std::uint64_t next_number() const noexcept { return next_number_; }
  // Those whose wait has ended; each is told once.
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
