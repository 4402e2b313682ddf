// ThreadLeases: the leases that are attached to one thread. The newest of a pool is the one that records.
//
// Thread safety: an object of one thread, reached through thread_leases(). At thread exit implicit leases are given
// back and explicit ones detached; what was recorded is committed, without waiting.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heddle/base/namespace.hpp"
#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

class ThreadLeases {
 public:
  ThreadLeases() = default;
  ~ThreadLeases();
  ThreadLeases(const ThreadLeases&) = delete;
  ThreadLeases& operator=(const ThreadLeases&) = delete;

  // The slot to record with; a new implicit one if the thread has none of this pool.
  LeaseSlot& current(const std::shared_ptr<LanePool>& pool) {
    if (cached_pool_ == pool->id()) [[likely]]
      return *cached_slot_;
    return find_current(pool);
  }
  std::shared_ptr<LeaseSlot> add_implicit(const std::shared_ptr<LanePool>& pool);
  void attach(const std::shared_ptr<LanePool>& pool, std::shared_ptr<LeaseSlot> slot);
  // False when the slot is not attached to this thread.
  bool remove(const LeaseSlot& slot) noexcept;
  // Hands over what the thread recorded so far, so that a new lease can use it and the old stream is not held by it.
  void commit_current(LanePool& pool);

 private:
  struct Entry {
    std::uint64_t pool_id;
    std::weak_ptr<LanePool> pool;
    std::shared_ptr<LeaseSlot> slot;
  };
  LeaseSlot& find_current(const std::shared_ptr<LanePool>& pool);
  Entry* newest(std::uint64_t pool_id) noexcept;

  std::uint64_t cached_pool_ = 0;
  LeaseSlot* cached_slot_ = nullptr;
  std::vector<Entry> entries_;
};

// InvalidArgument. Found in two ways: the operation runs on a thread that is inside a call on its stream, or on one
// that has no lease.
[[noreturn]] void throw_recording_in_custom_operation();

// The calling thread's. Throws Closed once the thread's own objects are being destroyed.
ThreadLeases& thread_leases();
// False once they are.
bool thread_has_leases() noexcept;

}  // namespace HEDDLE_NS
