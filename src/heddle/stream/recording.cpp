#include "heddle/stream/recording.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "heddle/base/error.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS {
namespace {

// Outlives ThreadLeases in its thread: a user's own thread-local or static object may record from its destructor.
struct ThreadEndedTag;
bool& thread_has_ended() noexcept { return sync::ThreadLocal<bool, ThreadEndedTag>::get(); }

// The leases of one thread, newest last. The newest of a pool is the one that records.
class ThreadLeases {
 public:
  ThreadLeases() = default;
  ThreadLeases(const ThreadLeases&) = delete;
  ThreadLeases& operator=(const ThreadLeases&) = delete;
  ~ThreadLeases() {
    thread_has_ended() = true;
    while (!entries_.empty()) {
      const Entry entry = std::move(entries_.back());
      entries_.pop_back();
      cached_pool_ = 0;
      if (const auto pool = entry.pool.lock()) {
        pool->release(*entry.slot);
        pool->remove_slot(*entry.slot);
      }
    }
  }

  LeaseSlot& current(const std::shared_ptr<LanePool>& pool) {
    if (cached_pool_ == pool->id()) [[likely]]
      return *cached_slot_;
    const auto newest = std::find_if(entries_.rbegin(), entries_.rend(),
                                     [&](const Entry& entry) { return entry.pool_id == pool->id(); });
    LeaseSlot* slot = newest != entries_.rend() ? newest->slot.get() : add(pool, true).get();
    cached_pool_ = pool->id();
    cached_slot_ = slot;
    return *slot;
  }

  std::shared_ptr<LeaseSlot> add(const std::shared_ptr<LanePool>& pool, bool is_implicit) {
    std::erase_if(entries_, [](const Entry& entry) { return entry.pool.expired(); });
    auto slot = std::make_shared<LeaseSlot>();
    slot->is_implicit = is_implicit;
    slot->thread = sync::this_thread_id();
    entries_.push_back({pool->id(), pool, slot});
    cached_pool_ = 0;
    pool->add_slot(slot);
    return slot;
  }

  // Hands over what the thread recorded so far, so that a new lease can use it and the old stream is not held by it.
  void commit_current(LanePool& pool) {
    const auto newest = std::find_if(entries_.rbegin(), entries_.rend(),
                                     [&](const Entry& entry) { return entry.pool_id == pool.id(); });
    if (newest == entries_.rend()) return;
    LeaseSlot& slot = *newest->slot;
    while (!slot.gate.try_enter()) pool.wait_for_claim();
    if (slot.lane != nullptr) {
      try {
        slot.lane->commit();
      } catch (...) {
        slot.gate.leave();
        throw;
      }
    }
    slot.gate.leave();
  }

  bool remove(const LeaseSlot& slot) {
    cached_pool_ = 0;
    return std::erase_if(entries_, [&](const Entry& entry) { return entry.slot.get() == &slot; }) != 0;
  }

 private:
  struct Entry {
    std::uint64_t pool_id;
    std::weak_ptr<LanePool> pool;
    std::shared_ptr<LeaseSlot> slot;
  };
  std::uint64_t cached_pool_ = 0;
  LeaseSlot* cached_slot_ = nullptr;
  std::vector<Entry> entries_;
};

struct ThreadLeasesTag;
ThreadLeases& thread_leases() {
  if (thread_has_ended()) [[unlikely]] {
    throw Closed(
        "this thread is ending and has given its streams back; record before its thread-local and static objects are "
        "destroyed");
  }
  return sync::ThreadLocal<ThreadLeases, ThreadLeasesTag>::get();
}

}  // namespace

Recording::Recording(const std::shared_ptr<LanePool>& pool) : pool_(*pool), slot_(&thread_leases().current(pool)) {
  while (true) {
    if (!slot_->gate.try_enter()) [[unlikely]] {
      pool_.wait_for_claim();
      continue;
    }
    lane_ = slot_->lane;
    if (lane_ != nullptr) [[likely]]
      return;
    slot_->gate.leave();
    pool_.acquire(*slot_);
  }
}

Recording::~Recording() {
  slot_->gate.leave();
  if (slot_->is_implicit && pool_.wanted()) [[unlikely]]
    pool_.give_up_if_idle(*slot_);
}

Lease::Lease(std::shared_ptr<LanePool> pool) : pool_(std::move(pool)) {
  thread_leases().commit_current(*pool_);
  slot_ = thread_leases().add(pool_, false);
  try {
    pool_->acquire(*slot_);
    id_ = slot_->lane->id();
  } catch (...) {
    pool_->remove_slot(*slot_);
    thread_leases().remove(*slot_);
    throw;
  }
}

Lease::~Lease() {
  if (slot_ == nullptr) return;
  HEDDLE_CHECK(thread_leases().remove(*slot_), "a Lease ended on another thread than the one that took it");
  pool_->release(*slot_);
  pool_->remove_slot(*slot_);
}

}  // namespace HEDDLE_NS
