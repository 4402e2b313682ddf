#include "heddle/stream/lane_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/stream/inside_handler.hpp"
#include "heddle/stream/thread_leases.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

// Where host memory runs out in a commit at the end, it may come back within so many looks.
constexpr int kMostCommitsRefused = 20;

std::uint64_t next_pool_id() noexcept {
  static sync::Atomic<std::uint64_t> last{0};
  return last.fetch_add(1, sync::relaxed) + 1;
}

const PoolLimits& validated(const PoolLimits& limits) {
  limits.validate();
  return limits;
}

}  // namespace

LanePool::LanePool(std::shared_ptr<Device> device, const PoolLimits& limits, WaitPolicy wait, ExhaustionPolicy policy,
                   HandlerFailureHook on_handler_failure)
    : limits_(validated(limits)),
      policy_(policy),
      id_(next_pool_id()),
      progress_(std::move(device), limits, wait, std::move(on_handler_failure)) {
  sync::asymmetric_fence_mode();
  sync::MutexLock lock(mutex_);
  exchange_.returned().expect(exchange_.lanes().places());
  progress_.expect_lanes(exchange_.lanes().places());
}

LanePool::~LanePool() = default;

// --- taking a lane ---

std::optional<StreamId> LanePool::acquire(LeaseSlot& slot, Patience patience) {
  commit_returned(Then::kGive);
  sync::MutexLock lock(mutex_);
  const Asker asker{exchange_.lanes().main().is_callers(), patience};
  if (state_ != State::kOpen) {
    throw Closed("the runtime is closed: a stream was asked for; record before Runtime::shutdown()");
  }
  Lane* lane = exchange_.take_free(asker.may_have_main);
  while (lane == nullptr) {
    if (const std::optional<std::uint32_t> id = reserve_id(asker)) {
      lane = create_lane(*id);
      continue;
    }
    const std::optional<Lane*> waited = wait_for_lane(asker);
    if (!waited) return std::nullopt;
    lane = *waited;  // null: the device refused another thread a stream, which may be tried again
  }
  slot.lane = lane;
  lane->set_holder_thread(slot.thread.load(sync::relaxed));
  return lane->id();
}

std::optional<std::uint32_t> LanePool::reserve_id(Asker asker) {
  if (asker.may_have_main && !exchange_.lanes().main().exists()) return MainLane::kId;
  if (const std::optional<std::uint32_t> id = exchange_.lanes().take_refused_id()) return id;
  const std::uint32_t most = policy_ == ExhaustionPolicy::kGrowThenWait ? limits_.streams_max : limits_.streams;
  if (exchange_.lanes().workers() >= most) return std::nullopt;
  // First, so that neither a lane nor its number is lost where host memory runs out.
  const std::size_t places = exchange_.lanes().places() + std::size_t{1};
  exchange_.returned().expect(places);
  progress_.expect_lanes(places);
  return exchange_.lanes().add_worker();
}

Lane* LanePool::create_lane(std::uint32_t id) {
  std::unique_ptr<Lane> created;
  mutex_.unlock();
  try {
    created = progress_.make_lane(StreamId{id});
  } catch (...) {
    mutex_.lock();
    exchange_.lanes().refuse(id);
    if (!HEDDLE_PLANT(pool_keeps_refusals_quiet)) waiters_.wake_first();
    throw;
  }
  mutex_.lock();
  LanePlace& place = exchange_.lanes().place(id);
  place.fill(std::move(created));
  if (state_ == State::kOpen) return place.lane();
  place.set_free();
  throw Closed("the runtime closed while a stream was created for this thread");
}

std::optional<Lane*> LanePool::wait_for_lane(Asker asker) {
  LaneWaiter self;
  waiters_.join(self);
  const bool waits = asker.patience == Patience::kWaits;
  const sync::Deadline deadline = waits ? sync::Deadline::after(limits_.lease_wait_max) : sync::Deadline::at({});
  bool waits_for_itself = false;
  while (true) {
    // Only the first waiter looks; it wakes the next when it is served.
    const bool first = waiters_.is_first(self);
    if (first && state_ == State::kOpen) {
      if (Lane* lane = exchange_.lanes().take_lowest()) {
        exchange_.give(lane);
      } else {
        exchange_.revoke_idle();
      }
    }
    // Stream 0 is no other thread's, so it is no matter of turns.
    if (asker.may_have_main && state_ == State::kOpen && self.lane == nullptr)
      self.lane = exchange_.lanes().main().take();
    if (self.lane != nullptr || state_ != State::kOpen || deadline.passed()) break;
    bool may_create = first && exchange_.lanes().any_refused();
    if (HEDDLE_PLANT(pool_keeps_refusals_quiet)) may_create = false;
    if (may_create) break;
    bool expects = policy_ != ExhaustionPolicy::kFail || exchange_.any_returning(asker.may_have_main);
    if (HEDDLE_PLANT(pool_fails_while_returning)) expects = policy_ != ExhaustionPolicy::kFail;
    if (!expects || sync::NoWaiting::active()) break;
    waits_for_itself = exchange_.caller_holds_all(asker.may_have_main);
    if (waits_for_itself) break;
    const bool looks_again = first || asker.may_have_main;
    self.woken.wait_until(mutex_, looks_again ? deadline.earlier(sync::Deadline::after(kRecheck)) : deadline);
    if (self.lane != nullptr) break;
  }
  waiters_.leave(self);
  bool closed = state_ != State::kOpen;
  if (self.lane != nullptr) {
    if (HEDDLE_PLANT(pool_hands_over_after_close)) closed = false;
    if (!closed) return self.lane;
    exchange_.lanes().place(*self.lane).set_free();  // given before the pool closed, which did not see it in a slot
  }
  if (closed) throw Closed("the runtime closed while this thread waited for a stream");
  if (exchange_.lanes().any_refused()) return nullptr;
  if (!waits) return std::nullopt;
  sync::NoWaiting::refuse("taking a stream while none is free");
  const std::string why = waits_for_itself ? std::string("this thread holds every stream itself, and would wait for it")
                          : policy_ == ExhaustionPolicy::kFail
                              ? std::string("no stream is free and the policy is to fail")
                              : fmt::format("no stream became free within {} ms", limits_.lease_wait_max.count());
  const std::string held = exchange_.leases().text();
  throw PoolExhausted(fmt::format("{}; held: {}; end a Lease, raise streams_max ({}) or wait longer", why,
                                  held.empty() ? "none" : held, limits_.streams_max));
}

// --- giving it back ---

void LanePool::release(LeaseSlot& slot) noexcept {
  bool committed = false;
  try {
    committed = true;
    if (!HEDDLE_PLANT(pool_releases_without_commit)) committed = commit_slot(slot);
  } catch (...) {
    committed = false;  // host memory ran out while closing the list
  }
  sync::MutexLock lock(mutex_);
  if (slot.lane == nullptr || state_ == State::kAbandoned) return;
  Lane* const lane = std::exchange(slot.lane, nullptr);
  if (committed) {
    exchange_.give(lane);
  } else if (!HEDDLE_PLANT(pool_loses_uncommitted)) {
    exchange_.returned().add(lane);  // the next thread that takes a lane commits it, or close()
  }
}

bool LanePool::release_from_outside(LeaseSlot& slot) noexcept {
  const sync::Deadline deadline = sync::Deadline::after(limits_.lease_wait_max);
  Lane* lane = nullptr;
  for (bool inside = true; inside;) {
    {
      sync::MutexLock lock(mutex_);
      if (state_ == State::kAbandoned) return true;
      const bool closed = state_ == State::kClosed;
      slot.gate.announce();
      sync::asymmetric_fence_heavy();
      inside = slot.gate.owner_inside();
      if (HEDDLE_PLANT(lease_ends_over_owner)) inside = false;
      if (!inside) {
        lane = std::exchange(slot.lane, nullptr);
        if (lane != nullptr && closed) exchange_.returned().add(std::exchange(lane, nullptr));  // close() commits it
        if (lane != nullptr) exchange_.returned().begin_commit_of_leased();
        slot.ended.store(true, sync::relaxed);  // published by withdraw(), or by mutex_ in wait_for_claim()
      }
      if (!closed) slot.gate.withdraw();  // otherwise refuse() has claimed it for good
      if (inside && (sync::NoWaiting::active() || deadline.passed())) {
        slot.left_to_thread = true;  // that thread may be waiting for this one
        return false;
      }
    }
    if (inside) sync::sleep_for(kRecheck);
  }
  // Here, not by the thread that takes a lane next: the end of a lease says that what was recorded on it is committed.
  if (lane != nullptr) end_commit(lane, Then::kGive);
  return true;
}

bool LanePool::commit_slot(LeaseSlot& slot) {
  while (!slot.gate.try_enter()) {
    if (!wait_for_claim()) return false;
  }
  try {
    if (slot.lane != nullptr) slot.lane->commit_at_end();
  } catch (...) {
    slot.gate.leave();
    throw;
  }
  slot.gate.leave();
  return true;
}

void LanePool::give_up_if_idle(LeaseSlot& slot) noexcept {
  sync::MutexLock lock(mutex_);
  if (waiters_.empty() || slot.lane == nullptr || MainLane::is(*slot.lane) || !slot.lane->transferable()) return;
  exchange_.give(std::exchange(slot.lane, nullptr));
}

bool LanePool::commit_returned(Then then) noexcept {
  while (true) {
    Lane* lane = nullptr;
    {
      sync::MutexLock lock(mutex_);
      if (then == Then::kGive && state_ != State::kOpen) return true;
      lane = exchange_.returned().begin_commit();
    }
    if (lane == nullptr) return true;
    if (!end_commit(lane, then)) return false;
  }
}

bool LanePool::end_commit(Lane* lane, Then then) noexcept {
  bool committed = true;
  try {
    lane->commit_at_end();
  } catch (...) {
    // Host memory ran out; nothing is lost. Where only the command for a last wait is missing, nothing at the end of
    // the runtime depends on it. A next holder does: without that command, the wait's error would become its own.
    committed = then == Then::kKeep && lane->issued() == lane->committed();
  }
  sync::MutexLock lock(mutex_);
  exchange_.returned().end_commit(lane, committed);
  if (committed && then == Then::kGive) exchange_.give(lane);
  return committed;
}

// --- the end: what leases leave is committed and awaited, or given up ---

void LanePool::refuse_locked() noexcept {
  state_ = std::max(state_, State::kClosed);
  if (!HEDDLE_PLANT(pool_closes_without_waking)) waiters_.wake_all();
  if (HEDDLE_PLANT(pool_refuses_newcomers_only)) return;
  exchange_.leases().announce_all();
}

void LanePool::refuse() noexcept {
  sync::MutexLock lock(mutex_);
  // The gates stay claimed: a thread that comes to one looks here, and leaves. One that does not see that yet records
  // once more.
  refuse_locked();
}

template <class Act>
void LanePool::for_each_lane(const Act& act) {
  for (std::uint32_t id = 0;; ++id) {
    Lane* lane = nullptr;
    {
      sync::MutexLock lock(mutex_);
      if (id == exchange_.lanes().places()) return;
      lane = exchange_.lanes().place(id).lane();
    }
    if (lane != nullptr) act(*lane);
  }
}

bool LanePool::wait_for_all(sync::Deadline deadline) {
  bool done = true;
  for_each_lane([&](Lane& lane) { done = lane.wait(lane.committed(), deadline, Helping::kIfNeeded) && done; });
  return done;
}

void LanePool::release_ended_lists() noexcept {
  for_each_lane([](Lane& lane) { lane.queue().release_ended(); });
}

bool LanePool::close(sync::Deadline deadline) {
  bool all_taken = false;
  bool committed = false;
  for (int commits_refused = 0;;) {
    {
      sync::MutexLock lock(mutex_);
      refuse_locked();
      all_taken = exchange_.take_all();
    }
    committed = commit_returned(Then::kKeep);
    if (!committed) ++commits_refused;
    const bool nothing_to_expect = all_taken && (committed || commits_refused >= kMostCommitsRefused);
    if (nothing_to_expect || deadline.passed()) break;
    sync::sleep_for(kRecheck);
  }
  const bool all_done = wait_for_all(deadline) && all_taken && committed;
  sync::MutexLock lock(mutex_);
  // Now: abandon() wakes them, and they leave.
  if (!all_done) busy_ = exchange_.leases().text();
  return all_done;
}

bool LanePool::stop_handlers(sync::Deadline deadline, sync::Deadline most) {
  std::vector<HandlerQueue*> queues;
  {
    sync::MutexLock lock(mutex_);
    queues = progress_.borrow_room();
    exchange_.lanes().visit([&](Lane& lane) { queues.push_back(&lane.completions()); });
  }
  const bool stopped = progress_.handlers().stop(queues, deadline, most);
  sync::MutexLock lock(mutex_);
  progress_.return_room(std::move(queues));
  return stopped;
}

bool LanePool::waits_for_this_thread() const noexcept {
  const ThreadLeases* const leases = thread_leases_if_any();
  return InsideHandler::of(progress_.handlers()) || (leases != nullptr && leases->inside_call(id_));
}

void LanePool::abandon() noexcept {
  sync::MutexLock lock(mutex_);
  state_ = State::kAbandoned;
  exchange_.leases().announce_all();  // never withdrawn
  sync::asymmetric_fence_heavy();
  exchange_.lanes().visit([](Lane& lane) { lane.abandon(); });
}

// --- reports ---

HandlerStatistics LanePool::handler_statistics() const {
  HandlerStatistics statistics;
  {
    sync::MutexLock lock(mutex_);
    exchange_.lanes().add_handlers(statistics);
  }
  progress_.handlers().add_statistics(statistics);
  return statistics;
}

}  // namespace HEDDLE_NS
