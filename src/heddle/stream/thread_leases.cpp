#include "heddle/stream/thread_leases.hpp"

#include <algorithm>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/process.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {
namespace {

// Outlives ThreadLeases in its thread: what the thread destroys later may record, or end a Lease.
enum class LeasesOfThread : unsigned char { kNone, kSome, kEnded };
struct LeasesOfThreadTag;
LeasesOfThread& leases_of_thread() noexcept { return sync::ThreadLocal<LeasesOfThread, LeasesOfThreadTag>::get(); }

struct ThreadLeasesTag;

}  // namespace

ThreadLeases* thread_leases_if_any() noexcept {
  if (leases_of_thread() != LeasesOfThread::kSome) return nullptr;
  return &sync::ThreadLocal<ThreadLeases, ThreadLeasesTag>::get();  // it is made, so this cannot fail
}

void throw_recording_in_custom_operation() {
  throw InvalidArgument(
      "a custom operation tried to record commands or to use a stream while it runs on the device; record what it "
      "needs "
      "before it, and what follows behind it");
}

ThreadLeases& thread_leases() {
  if (leases_of_thread() == LeasesOfThread::kEnded) [[unlikely]] {
    throw Closed(
        "this thread is ending and has given its streams back; record before the destructors of its thread-specific "
        "data run (pthread_key_create)");
  }
  return sync::ThreadLocal<ThreadLeases, ThreadLeasesTag>::get();
}

ThreadLeases::ThreadLeases() noexcept { leases_of_thread() = LeasesOfThread::kSome; }

ThreadLeases::~ThreadLeases() {
  leases_of_thread() = LeasesOfThread::kEnded;
  current_lease() = {};
  if (sync::in_forked_child()) return;
  while (!entries_.empty()) {
    const Entry entry = std::move(entries_.back());
    entries_.pop_back();
    const auto pool = entry.pool.lock();
    // Entered: a custom operation called exit() inside a call on this stream, and nobody comes back to it.
    if (pool == nullptr || entry.slot->gate.entered()) continue;
    if (entry.slot->is_implicit) {
      if (HEDDLE_PLANT(thread_exit_keeps_stream)) continue;
      pool->release(*entry.slot);
      pool->remove_slot(*entry.slot);
    } else {
      try {
        pool->commit_slot(*entry.slot);
      } catch (...) {  // NOLINT(bugprone-empty-catch): the thread is ending
        // Host memory ran out. It is still recorded: who attaches the lease next commits it.
      }
      entry.slot->thread.store(0, sync::release);
      if (!pool->left_to_thread(*entry.slot)) continue;
      pool->release(*entry.slot);
      pool->remove_slot(*entry.slot);
    }
  }
}

ThreadLeases::Entry* ThreadLeases::newest(std::uint64_t pool_id) noexcept {
  const auto found =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) { return entry.pool_id == pool_id; });
  return found == entries_.rend() ? nullptr : &*found;
}

LeaseSlot& ThreadLeases::current(const std::shared_ptr<LanePool>& pool) {
  if (current_lease().pool == pool->id()) return *current_lease().slot;
  if (sync::NoWaiting::recording_forbidden()) throw_recording_in_custom_operation();
  Entry* entry = newest(pool->id());
  LeaseSlot* slot = entry != nullptr ? entry->slot.get() : add_implicit(pool).get();
  current_lease() = {pool->id(), slot};
  return *slot;
}

std::shared_ptr<LeaseSlot> ThreadLeases::add_implicit(const std::shared_ptr<LanePool>& pool) {
  auto slot = std::make_shared<LeaseSlot>();
  slot->is_implicit = true;
  pool->add_slot(slot);  // first: the pool must know whatever this thread finds in its table
  try {
    attach(pool, slot);
  } catch (...) {
    pool->remove_slot(*slot);
    throw;
  }
  return slot;
}

void ThreadLeases::attach(const std::shared_ptr<LanePool>& pool, std::shared_ptr<LeaseSlot> slot) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.pool.expired(); });
  current_lease() = {};
  sync::require_host_memory();
  entries_.reserve(entries_.size() + 1);  // before the slot says whose it is
  slot->thread.store(sync::this_thread_id(), sync::relaxed);
  entries_.push_back({pool->id(), pool, std::move(slot)});
}

bool ThreadLeases::remove(const LeaseSlot& slot) noexcept {
  current_lease() = {};
  return std::erase_if(entries_, [&](const Entry& entry) { return entry.slot.get() == &slot; }) != 0;
}

bool ThreadLeases::inside_call(std::uint64_t pool_id) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.pool_id == pool_id && entry.slot->gate.entered(); });
}

void ThreadLeases::commit_current(LanePool& pool) {
  if (sync::NoWaiting::recording_forbidden()) throw_recording_in_custom_operation();
  if (Entry* entry = newest(pool.id())) pool.commit_slot(*entry->slot);
}

}  // namespace HEDDLE_NS
