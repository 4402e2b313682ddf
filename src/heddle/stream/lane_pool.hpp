// LanePool: which streams exist, who holds the lease of each, who waits for one.
//
// A lease is the right to record on a stream. A thread that records without one gets an implicit lease, which it keeps
// until it exits or until the pool revokes it: when other threads wait and the stream is idle (nothing recorded, all
// tickets passed), the pool claims the lease's gate and takes the stream. The thread gets a stream again at its next
// use.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kLanePool).
// Invariants: 1. A lane has at most one lease. 2. A lane is given out only idle. 3. Waiters are served in order of
// arrival, by direct hand-over (WaiterQueue); stream 0, which only the main thread may have, is outside of this
// (MainLane). A thread that holds every stream itself does not wait.
// 4. LeaseSlot::lane changes only under mutex_, and for others than its thread only with the gate claimed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heddle/base/pool_limits.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle/stream/lane_exchange.hpp"
#include "heddle/stream/lane_table.hpp"
#include "heddle/stream/lease_table.hpp"
#include "heddle/stream/progress.hpp"
#include "heddle/stream/waiter_queue.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/process.hpp"
#include "heddle/sync/reaper.hpp"

namespace HEDDLE_NS {

class LanePool final : public sync::Reapable {
 public:
  // Creates no lane yet: each is created at its first lease.
  LanePool(std::shared_ptr<Device> device, const PoolLimits& limits, WaitPolicy wait, ExhaustionPolicy policy,
           HandlerFailureHook on_handler_failure = {});
  ~LanePool();

  // Unique in the process, never reused: what a thread's cache compares.
  std::uint64_t id() const noexcept { return id_; }

  // Puts a lane into `slot` (its thread calls; slot.lane is null); returns its stream (slot.lane may be taken again by
  // a close() at once). Throws PoolExhausted after Limits::lease_wait_max, naming the holders; WouldBlock where waiting
  // is forbidden; Closed after close(). stream 0 goes to the process's main thread only.
  StreamId acquire(LeaseSlot& slot) { return *acquire(slot, Patience::kWaits); }
  // The same, but none where acquire() would wait, or would throw PoolExhausted or WouldBlock.
  std::optional<StreamId> try_acquire(LeaseSlot& slot) { return acquire(slot, Patience::kTries); }
  // Gives slot.lane back; commits what was recorded, does not wait for it. Does nothing when slot.lane is null. Called
  // by the slot's thread. Where host memory runs out, the next acquire() or close() commits it.
  void release(LeaseSlot& slot) noexcept;
  // The same for a slot of another thread, or of none: waits while that thread is inside an operation,
  // Limits::lease_wait_max at most. Then, and at once where waiting is forbidden, it leaves the slot to that thread
  // instead, like an implicit one, and returns false.
  bool release_from_outside(LeaseSlot& slot) noexcept;
  bool left_to_thread(const LeaseSlot& slot) const {
    sync::MutexLock lock(mutex_);
    return slot.left_to_thread;
  }
  // True while some thread waits for a lane: holders of idle implicit leases then give them up.
  bool wanted() const noexcept { return waiters_.any(); }

  // Commits what was recorded with a slot of the calling thread, without waiting. False, and nothing was, once the pool
  // closes: close() does it then.
  bool commit_slot(LeaseSlot& slot);
  // The calling thread attached `slot`: error texts about its lane name this thread.
  void note_attached(LeaseSlot& slot) {
    sync::MutexLock lock(mutex_);
    if (slot.lane != nullptr) slot.lane->set_holder_thread(slot.thread.load(sync::relaxed));
  }
  // The holder of an implicit lease gives its lane up if somebody waits and the lane is idle.
  void give_up_if_idle(LeaseSlot& slot) noexcept;
  // Returns once no claim is under way. False once the pool closes: no thread enters a gate for new work any more.
  bool wait_for_claim() const {
    sync::MutexLock lock(mutex_);
    return state_ == State::kOpen;
  }

  void add_slot(std::shared_ptr<LeaseSlot> slot) {
    sync::MutexLock lock(mutex_);
    exchange_.leases().add(std::move(slot));
  }
  void remove_slot(const LeaseSlot& slot) noexcept {
    sync::MutexLock lock(mutex_);
    exchange_.leases().remove(slot);
  }

  // From now on acquires throw Closed, and so does the next operation of each thread; close() does the rest. Waits for
  // nothing.
  void refuse() noexcept;
  // As refuse(); takes the lanes of all leases that are not inside their gate, commits what they recorded, waits until
  // every lane is done or the deadline passes. Returns false when the deadline passed. Needs no host memory but for the
  // commits, which are tried again until the deadline.
  bool close(sync::Deadline deadline);
  // After a complete close: destroys what lists that have ended still own (Queue::release_ended).
  void release_ended_lists() noexcept;
  // After close(): HandlerThread::stop.
  bool stop_handlers(sync::Deadline deadline, sync::Deadline most = sync::Deadline::never());
  // Whether an end of this pool would wait for the calling thread: it runs one of its handlers, on whatever thread, or
  // is inside a call on one of its leases.
  bool waits_for_this_thread() const noexcept;
  // After a close() that ran out of time: whoever waits for a lane, now or later, gets Closed, and so does the next
  // operation of a thread that was inside one.
  void abandon() noexcept;

  // Calls `visit` for every lane that no thread is inside of, one after the other, with its lease claimed meanwhile:
  // no thread records on that lane or touches what belongs to its holder. `visit` is called under mutex_: it is short,
  // and calls neither this pool nor the device; what it throws ends the visits. Does nothing after abandon().
  void visit_idle(const std::function<void(Lane&)>& visit) {
    sync::MutexLock lock(mutex_);
    if (state_ != State::kAbandoned) exchange_.visit_idle(visit, state_ == State::kClosed);
  }
  // Before the first lane exists. `listener` outlives the last commit.
  void set_commit_listener(CommitListener* listener) noexcept { progress_.set_commit_listener(listener); }

  // No stream id is above this.
  std::uint32_t streams_max() const noexcept { return limits_.streams_max; }
  std::size_t lanes() const {
    std::size_t count = 0;
    visit_all([&](Lane&) { ++count; });
    return count;
  }
  std::vector<Lane*> existing_lanes() const {
    std::vector<Lane*> lanes;
    visit_all([&](Lane& lane) { lanes.push_back(&lane); });
    return lanes;
  }
  // Calls `visit` for every lane, under mutex_, without a claim: it is short, does not throw, and calls neither this
  // pool nor the device. Needs no host memory.
  template <class Visit>
  void visit_all(const Visit& visit) const {
    sync::MutexLock lock(mutex_);
    exchange_.lanes().visit(visit);
  }
  std::string holders() const {
    sync::MutexLock lock(mutex_);
    const std::string held = exchange_.leases().text();
    return held.empty() ? "none" : held;
  }
  // Something that was recorded is not complete, or a handler has not ended. Needs no host memory.
  bool has_work() const noexcept {
    sync::MutexLock lock(mutex_);
    return exchange_.lanes().has_work();
  }
  // Which thread held which stream when close() gave up; empty when none did.
  std::string busy() const {
    sync::MutexLock lock(mutex_);
    return busy_;
  }
  LaneTotals totals() const {
    sync::MutexLock lock(mutex_);
    return exchange_.lanes().totals();
  }
  HandlerStatistics handler_statistics() const;

 private:
  // A thread that waits for a lane, or for another to leave its gate, looks again this often: neither is announced.
  static constexpr std::chrono::milliseconds kRecheck{1};
  enum class State : unsigned char { kOpen, kClosed, kAbandoned };
  enum class Patience : unsigned char { kWaits, kTries };
  // A thread that asks for a lane.
  struct Asker {
    bool may_have_main;
    Patience patience;
  };

  std::optional<StreamId> acquire(LeaseSlot& slot, Patience patience);
  // The id of a new lane; none when the pool may not grow.
  std::optional<std::uint32_t> reserve_id(Asker asker) HEDDLE_REQUIRES(mutex_);
  // Creates the lane and returns it; it is the caller's. Throws what the device throws; another thread may try then.
  Lane* create_lane(std::uint32_t id) HEDDLE_REQUIRES(mutex_);
  // Null: a lane that the device refused another thread may be created. None: it tries, and would have to wait.
  std::optional<Lane*> wait_for_lane(Asker asker) HEDDLE_REQUIRES(mutex_);
  // What becomes of a lane that was committed after its lease.
  enum class Then : unsigned char { kGive, kKeep };
  // Commits the returned lanes. False where host memory ran out; the rest is among them still.
  bool commit_returned(Then then) noexcept HEDDLE_EXCLUDES(mutex_);
  // The same for one whose commit has begun (ReturnedLanes).
  bool end_commit(Lane* lane, Then then) noexcept HEDDLE_EXCLUDES(mutex_);
  void refuse_locked() noexcept HEDDLE_REQUIRES(mutex_);
  bool wait_for_all(sync::Deadline deadline) HEDDLE_EXCLUDES(mutex_);
  // Calls `act` for each lane, without the mutex.
  template <class Act>
  void for_each_lane(const Act& act) HEDDLE_EXCLUDES(mutex_);

  void reap() noexcept override { delete this; }

  const sync::ForkGuarded fork_guarded_;
  const PoolLimits limits_;
  const ExhaustionPolicy policy_;
  const std::uint64_t id_;
  Progress progress_;    // outlives the lanes
  WaiterQueue waiters_;  // all but any() under mutex_
  mutable sync::Mutex mutex_{Rank::kLanePool};
  LaneExchange exchange_ HEDDLE_GUARDED_BY(mutex_){waiters_};
  State state_ HEDDLE_GUARDED_BY(mutex_) = State::kOpen;
  std::string busy_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS
