// ThreadLeases: the leases that are attached to one thread. The newest of a pool is the one that records.
//
// Thread safety: an object of one thread, reached through thread_leases(). At thread exit, after the destructors of the
// program's thread_local objects, implicit leases are given back and explicit ones detached; what was recorded is
// committed, without waiting. At process exit nothing of that happens: the runtime's end takes all leases.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS {

// The slot that the calling thread records with: what every operation and every dropped tensor asks first. Written by
// ThreadLeases; an access is one load, without a guard, also while the thread's own objects are being destroyed.
struct CurrentLease {
  std::uint64_t pool = 0;     // LanePool::id(); 0: nothing is known, ask ThreadLeases
  LeaseSlot* slot = nullptr;  // alive while `pool` is not 0
};
struct CurrentLeaseTag;
inline CurrentLease& current_lease() noexcept { return sync::ThreadLocal<CurrentLease, CurrentLeaseTag>::get(); }

class ThreadLeases {
 public:
  ThreadLeases() noexcept;
  ~ThreadLeases();
  ThreadLeases(const ThreadLeases&) = delete;
  ThreadLeases& operator=(const ThreadLeases&) = delete;

  // The slot to record with; a new implicit one if the thread has none of this pool.
  LeaseSlot& current(const std::shared_ptr<LanePool>& pool);
  std::shared_ptr<LeaseSlot> add_implicit(const std::shared_ptr<LanePool>& pool);
  void attach(const std::shared_ptr<LanePool>& pool, std::shared_ptr<LeaseSlot> slot);
  // False when the slot is not attached to this thread.
  bool remove(const LeaseSlot& slot) noexcept;
  // Hands over what the thread recorded so far, so that a new lease can use it and the old stream is not held by it.
  void commit_current(LanePool& pool);
  // Whether the thread is inside a call on one of its leases of that pool.
  bool inside_call(std::uint64_t pool_id) const noexcept;

 private:
  struct Entry {
    std::uint64_t pool_id;
    std::weak_ptr<LanePool> pool;
    std::shared_ptr<LeaseSlot> slot;
  };
  Entry* newest(std::uint64_t pool_id) noexcept;

  std::vector<Entry> entries_;
};

// InvalidArgument. Found in two ways: the operation runs on a thread that is inside a call on its stream, or on one
// that has no lease.
[[noreturn]] void throw_recording_in_custom_operation();

// The calling thread's. Throws Closed once the thread has given them back at its end, std::bad_alloc where the host has
// no memory for the first use in a thread.
ThreadLeases& thread_leases();
// Null before the first use, and once the thread has given them back.
ThreadLeases* thread_leases_if_any() noexcept;

}  // namespace HEDDLE_NS
