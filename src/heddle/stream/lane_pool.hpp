// LanePool: which streams exist, who holds the lease of each, who waits for one.
//
// A lease is the right to record on a stream. A thread that records without one gets an implicit lease, which it keeps
// until it exits or until the pool revokes it: when other threads wait and the stream is idle (nothing recorded, all
// tickets passed), the pool claims the lease's gate and takes the stream. The thread gets a stream again at its next
// use.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kLanePool).
// Invariants: 1. A lane has at most one lease. 2. A lane is given out only idle. 3. Waiters are served in order of
// arrival, by direct hand-over: a returned lane belongs to the first waiter before any newcomer sees it; stream 0,
// which only the main thread may have, is outside of this. A thread that holds every stream itself does not wait.
// 4. LeaseSlot::lane changes only under mutex_, and for others than its thread only with the gate claimed.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heddle/base/pool_limits.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/owner_gate.hpp"
#include "heddle/sync/process.hpp"
#include "heddle/sync/reaper.hpp"

namespace HEDDLE_NS {

class LanePool;

// One lease of one pool, explicit or implicit.
struct LeaseSlot {
  sync::OwnerGate gate;
  Lane* lane = nullptr;  // null: revoked, or not taken yet
  bool is_implicit = false;
  sync::Atomic<std::uint64_t> thread{0};  // the kernel's id of the thread that records with it; 0: detached
  sync::Atomic<bool> ended{false};        // its Lease is gone; what is left in a thread's table is an empty shell
  bool left_to_thread = false;            // its Lease is gone, and its thread keeps it; guarded by the pool's mutex

  // Another thread may take its lane when it is idle. REQUIRES: the pool's mutex is held.
  bool revocable() const noexcept { return is_implicit || left_to_thread; }
};

// What a pool that was closed in time, or not, leaves.
struct LaneTotals {
  std::uint64_t completed = 0;  // commands, over all lanes
  std::uint64_t failed = 0;     // of those: closed with an error
  std::uint64_t abandoned = 0;  // recorded, but not complete
};

class LanePool final : public CompletionListener, public sync::Reapable {
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
  StreamId acquire(LeaseSlot& slot);
  // The same, but none where acquire() would wait, or would throw PoolExhausted or WouldBlock.
  std::optional<StreamId> try_acquire(LeaseSlot& slot);
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
  bool wanted() const noexcept { return waiting_.load(sync::relaxed) != 0; }

  // Commits what was recorded with a slot of the calling thread, without waiting. False, and nothing was, once the pool
  // closes: close() does it then.
  bool commit_slot(LeaseSlot& slot);
  // The calling thread attached `slot`: error texts about its lane name this thread.
  void note_attached(LeaseSlot& slot);
  // The holder of an implicit lease gives its lane up if somebody waits and the lane is idle.
  void give_up_if_idle(LeaseSlot& slot) noexcept;
  // Returns once no claim is under way. False once the pool closes: nobody enters a gate for new work any more.
  bool wait_for_claim() const {
    sync::MutexLock lock(mutex_);
    return !closed_ && !abandoned_;
  }

  void add_slot(std::shared_ptr<LeaseSlot> slot);
  void remove_slot(const LeaseSlot& slot) noexcept;

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
  // nobody records on that lane or touches what belongs to its holder. `visit` is called under mutex_: it is short,
  // and calls neither this pool nor the device; what it throws ends the visits. Does nothing after abandon().
  void visit_idle(const std::function<void(Lane&)>& visit);
  // Before the first lane exists. `listener` outlives the last commit.
  void set_commit_listener(CommitListener* listener) noexcept { commits_ = listener; }

  // No stream id is above this.
  std::uint32_t streams_max() const noexcept { return limits_.streams_max; }
  std::size_t lanes() const;
  std::vector<Lane*> existing_lanes() const;
  // Calls `visit` for every lane, under mutex_, without a claim: it is short, does not throw, and calls neither this
  // pool nor the device. Needs no host memory.
  template <class Visit>
  void visit_all(const Visit& visit) const {
    sync::MutexLock lock(mutex_);
    for (const auto& lane : lanes_) {
      if (lane != nullptr) visit(*lane);
    }
  }
  std::string holders() const;
  // Something that was recorded is not complete, or a handler has not ended. Needs no host memory.
  bool has_work() const noexcept;
  // Who held a stream when close() gave up; empty when nobody did.
  std::string busy() const;
  LaneTotals totals() const;
  HandlerStatistics handler_statistics() const;
  void on_progress(Queue& queue) noexcept override;

 private:
  // Whoever waits for a lane, or for a thread inside its gate, looks again this often: nobody announces either.
  static constexpr std::chrono::milliseconds kRecheck{1};
  struct Waiter {
    sync::ConditionVariable given;
    Lane* lane = nullptr;
  };
  // Null when the lane is not free, or still runs what its last holder left.
  Lane* take_if_idle(std::size_t id) HEDDLE_REQUIRES(mutex_);
  Lane* take_free(bool main_thread) HEDDLE_REQUIRES(mutex_);
  // Takes idle lanes from implicit leases, a few more than there are waiters, and gives them to those.
  void revoke_idle() HEDDLE_REQUIRES(mutex_);
  void give(Lane* lane) noexcept HEDDLE_REQUIRES(mutex_);
  // Commits and gives back `lane`, which is counted in returning_. False where host memory ran out: it is in returned_.
  bool commit_and_give(Lane* lane) noexcept HEDDLE_EXCLUDES(mutex_);
  // Commits and gives back the lanes in returned_, as far as host memory allows.
  void commit_returned() noexcept HEDDLE_EXCLUDES(mutex_);
  // The id of a new lane; none when the pool may not grow.
  std::optional<std::uint32_t> reserve_id(bool main_thread) HEDDLE_REQUIRES(mutex_);
  std::unique_ptr<Lane> create_lane(std::uint32_t id);
  void refuse_locked() noexcept HEDDLE_REQUIRES(mutex_);
  // Takes what can be taken from leases into returned_. False: some thread is inside its gate, or commits for another.
  bool take_all() noexcept HEDDLE_REQUIRES(mutex_);
  // Commits what is in returned_. False where host memory ran out; that is in returned_ still.
  bool commit_taken() noexcept HEDDLE_EXCLUDES(mutex_);
  bool wait_for_all(sync::Deadline deadline) HEDDLE_EXCLUDES(mutex_);
  enum class Patience : unsigned char { kWaits, kTries };
  std::optional<StreamId> acquire(LeaseSlot& slot, Patience patience);
  // Null: a lane that the device refused another thread may be created. None: it tries, and would have to wait.
  std::optional<Lane*> wait_for_lane(bool main_thread, Patience patience) HEDDLE_REQUIRES(mutex_);
  // Every lane that the calling thread may have is its own already, and becomes free by nothing that others do.
  bool holds_all(bool main_thread) const HEDDLE_REQUIRES(mutex_);
  // `lane`; unless it is null, `waiter` does not wait any more.
  Lane* leave_with(const Waiter& waiter, Lane* lane) HEDDLE_REQUIRES(mutex_);
  // True while a lane that was given back, and that the calling thread may have, still runs.
  bool any_returning(bool main_thread) const HEDDLE_REQUIRES(mutex_);
  // Which stream is held by whom; empty when none is.
  std::string held_locked() const HEDDLE_REQUIRES(mutex_);

  void reap() noexcept override { delete this; }

  const sync::ForkGuarded fork_guarded_;
  const std::shared_ptr<Device> device_;  // outlives the lanes
  const PoolLimits limits_;
  const WaitPolicy wait_;
  const ExhaustionPolicy policy_;
  const std::uint64_t id_;
  HandlerThread handlers_;
  CommitListener* commits_ = nullptr;
  std::unique_ptr<Poller> poller_;  // where the backend does not announce progress
  sync::Atomic<std::uint32_t> waiting_{0};
  mutable sync::Mutex mutex_{Rank::kLanePool};
  std::vector<std::unique_ptr<Lane>> lanes_ HEDDLE_GUARDED_BY(mutex_);  // by stream id; [0] is the main thread's
  std::vector<bool> free_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<LeaseSlot>> slots_ HEDDLE_GUARDED_BY(mutex_);
  std::deque<Waiter*> waiters_ HEDDLE_GUARDED_BY(mutex_);
  std::uint32_t ids_ HEDDLE_GUARDED_BY(mutex_) = 1;                  // next worker id
  std::vector<std::uint32_t> unused_ids_ HEDDLE_GUARDED_BY(mutex_);  // whose lanes the device refused to create
  // Lanes whose leases ended while what was recorded on them was still to be committed; room for all lanes.
  std::vector<Lane*> returned_ HEDDLE_GUARDED_BY(mutex_);
  std::uint32_t returning_ HEDDLE_GUARDED_BY(mutex_) = 0;  // taken out of returned_, and not yet given back
  bool closed_ HEDDLE_GUARDED_BY(mutex_) = false;
  bool abandoned_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::string busy_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<CompletionLine*> stopping_ HEDDLE_GUARDED_BY(mutex_);  // for stop_handlers(); room for all lanes
};

}  // namespace HEDDLE_NS
