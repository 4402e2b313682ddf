#include "heddle/stream/lane_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {
namespace {

std::uint64_t next_pool_id() noexcept {
  static sync::Atomic<std::uint64_t> last{0};
  return last.fetch_add(1, sync::relaxed) + 1;
}

// On a device that tells nobody, the poller and the handler thread spin longer than a thread that waits, while handlers
// do: from one list of a busy stream to the next. One that sleeps is late by the 30 us and more that it takes to wake
// it.
std::chrono::microseconds spin_expecting(const Limits& limits, const Device& device, WaitPolicy wait) {
  constexpr std::chrono::microseconds kBetweenLists{2000};
  const bool longer = !device.info().announces && wait != WaitPolicy::kBlock && limits.spin_max.count() != 0;
  return longer ? std::max(kBetweenLists, limits.spin_max) : limits.spin_max;
}

}  // namespace

LanePool::LanePool(std::shared_ptr<Device> device, const PoolLimits& limits, WaitPolicy wait, ExhaustionPolicy policy,
                   HandlerFailureHook on_handler_failure)
    : device_(std::move(device)),
      limits_(limits),
      wait_(wait),
      policy_(policy),
      id_(next_pool_id()),
      handlers_(limits, wait != WaitPolicy::kBlock, spin_expecting(limits, *device_, wait),
                std::move(on_handler_failure)) {
  limits_.validate();
  if (!device_->info().announces) {
    poller_ = std::make_unique<Poller>(*device_, *this, [this, expecting = spin_expecting(limits_, *device_, wait)] {
      return handlers_.awake() ? expecting : limits_.spin_max;
    });
  }
  sync::asymmetric_fence_mode();
  device_->set_listener(this);
  sync::MutexLock lock(mutex_);
  lanes_.resize(1);
  free_.resize(1);
  returned_.reserve(1);
  stopping_.reserve(1);
}

LanePool::~LanePool() = default;

StreamId LanePool::acquire(LeaseSlot& slot) { return *acquire(slot, Patience::kWaits); }

std::optional<StreamId> LanePool::try_acquire(LeaseSlot& slot) { return acquire(slot, Patience::kTries); }

std::optional<StreamId> LanePool::acquire(LeaseSlot& slot, Patience patience) {
  commit_returned();
  sync::MutexLock lock(mutex_);
  const bool main_thread = sync::is_main_thread() || (HEDDLE_PLANT(pool_takes_first_for_main) && lanes_[0] == nullptr);
  if (closed_) throw Closed("the runtime is closed: a stream was asked for; record before Runtime::shutdown()");
  Lane* lane = waiters_.empty() ? take_free(main_thread) : main_thread ? take_if_idle(0) : nullptr;
  while (lane == nullptr) {
    const std::optional<std::uint32_t> id = reserve_id(main_thread);
    if (!id) {
      const std::optional<Lane*> waited = wait_for_lane(main_thread, patience);
      if (!waited) return std::nullopt;
      lane = *waited;  // null: the device refused another thread a stream, which may be tried again
      continue;
    }
    lock.unlock();
    std::unique_ptr<Lane> created;
    try {
      created = create_lane(*id);
    } catch (...) {
      lock.lock();
      if (*id != 0) unused_ids_.push_back(*id);
      if (!waiters_.empty() && !HEDDLE_PLANT(pool_keeps_refusals_quiet)) waiters_.front()->given.notify_one();
      throw;
    }
    lane = created.get();
    lock.lock();
    lanes_[*id] = std::move(created);
    if (closed_) {
      free_[*id] = true;
      throw Closed("the runtime closed while a stream was created for this thread");
    }
  }
  slot.lane = lane;
  lane->set_holder_thread(slot.thread.load(sync::relaxed));
  return lane->id();
}

std::optional<Lane*> LanePool::wait_for_lane(bool main_thread, Patience patience) {
  Waiter waiter;
  waiters_.push_back(&waiter);
  waiting_.fetch_add(1, sync::relaxed);
  const bool waits = patience == Patience::kWaits;
  const sync::Deadline deadline = waits ? sync::Deadline::after(limits_.lease_wait_max) : sync::Deadline::at({});
  bool waits_for_itself = false;
  while (true) {
    // Only the first waiter looks; it wakes the next when it is served.
    const bool first = waiters_.front() == &waiter;
    if (first && !closed_) {
      if (Lane* lane = take_free(false)) {
        give(lane);
      } else {
        revoke_idle();
      }
    }
    // Stream 0 is nobody else's, so it is no matter of turns.
    if (main_thread && !closed_ && waiter.lane == nullptr) waiter.lane = leave_with(waiter, take_if_idle(0));
    if (waiter.lane != nullptr || closed_ || deadline.passed()) break;
    if (first && !unused_ids_.empty() && !HEDDLE_PLANT(pool_keeps_refusals_quiet)) break;
    const bool returning = any_returning(main_thread) && !HEDDLE_PLANT(pool_fails_while_returning);
    if (policy_ == ExhaustionPolicy::kFail && !returning) break;
    if (sync::NoWaiting::active()) break;
    waits_for_itself = holds_all(main_thread);
    if (waits_for_itself) break;
    const bool looks_again = first || main_thread;
    waiter.given.wait_until(mutex_, looks_again ? deadline.earlier(sync::Deadline::after(kRecheck)) : deadline);
    if (waiter.lane != nullptr) break;
  }
  waiting_.fetch_sub(1, sync::relaxed);
  if (waiter.lane != nullptr) {
    if (!closed_ || HEDDLE_PLANT(pool_hands_over_after_close)) return waiter.lane;
    free_[waiter.lane->id().value] = true;  // given before the pool closed, which did not see it in a slot
    throw Closed("the runtime closed while this thread waited for a stream");
  }
  std::erase(waiters_, &waiter);
  if (!waiters_.empty()) waiters_.front()->given.notify_one();
  if (closed_) throw Closed("the runtime closed while this thread waited for a stream");
  if (!unused_ids_.empty()) return nullptr;
  if (!waits) return std::nullopt;
  sync::NoWaiting::refuse("taking a stream while none is free");
  const std::string why = waits_for_itself ? std::string("this thread holds every stream itself, and would wait for it")
                          : policy_ == ExhaustionPolicy::kFail
                              ? std::string("no stream is free and the policy is to fail")
                              : fmt::format("no stream became free within {} ms", limits_.lease_wait_max.count());
  const std::string held = held_locked();
  throw PoolExhausted(fmt::format("{}; held: {}; end a Lease, raise streams_max ({}) or wait longer", why,
                                  held.empty() ? "none" : held, limits_.streams_max));
}

Lane* LanePool::leave_with(const Waiter& waiter, Lane* lane) {
  if (lane == nullptr) return nullptr;
  std::erase(waiters_, &waiter);
  if (!waiters_.empty()) waiters_.front()->given.notify_one();
  return lane;
}

bool LanePool::holds_all(bool main_thread) const {
  std::size_t held = 0;
  for (const auto& slot : slots_) {
    const bool is_own = slot->lane != nullptr && slot->thread.load(sync::relaxed) == sync::this_thread_id();
    if (!is_own || (slot->lane->id().value == 0 && !main_thread)) continue;
    // Stream 0 is never taken from the main thread. An error of an implicit lease's stream is collected by its thread;
    // until then no other thread gets the stream.
    const bool stays = slot->lane->id().value == 0 || !slot->revocable() || slot->lane->queue().failures().failing();
    if (stays) ++held;
  }
  return held == lanes_.size() - (main_thread ? 0 : 1);
}

bool LanePool::any_returning(bool main_thread) const {
  if (returning_ != 0) return true;
  return std::find(free_.begin() + (main_thread ? 0 : 1), free_.end(), true) != free_.end();
}

void LanePool::release(LeaseSlot& slot) noexcept {
  bool committed = false;
  try {
    committed = HEDDLE_PLANT(pool_releases_without_commit) || commit_slot(slot);
  } catch (...) {
    committed = false;  // host memory ran out while closing the list, and nobody can be told
  }
  sync::MutexLock lock(mutex_);
  if (slot.lane == nullptr || abandoned_) return;
  Lane* const lane = std::exchange(slot.lane, nullptr);
  if (committed) {
    give(lane);
  } else if (!HEDDLE_PLANT(pool_loses_uncommitted)) {
    returned_.push_back(lane);  // whoever takes a lane next commits it, or close()
  }
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

void LanePool::note_attached(LeaseSlot& slot) {
  sync::MutexLock lock(mutex_);
  if (slot.lane != nullptr) slot.lane->set_holder_thread(slot.thread.load(sync::relaxed));
}

void LanePool::give_up_if_idle(LeaseSlot& slot) noexcept {
  sync::MutexLock lock(mutex_);
  if (waiters_.empty() || slot.lane == nullptr || slot.lane->id().value == 0 || !slot.lane->transferable()) return;
  give(std::exchange(slot.lane, nullptr));
}

void LanePool::give(Lane* lane) noexcept {
  lane->set_holder_thread(0);
  if (waiters_.empty() || lane->id().value == 0 || !lane->idle()) {
    free_[lane->id().value] = true;
    return;
  }
  lane->forget_failure();  // an error that nobody collected ended with its lease
  Waiter* first = waiters_.front();
  waiters_.pop_front();
  first->lane = lane;
  if (!HEDDLE_PLANT(pool_gives_without_notify)) first->given.notify_one();
  if (!waiters_.empty()) waiters_.front()->given.notify_one();
}

Lane* LanePool::take_if_idle(std::size_t id) {
  // A lane that its last holder left running is passed over until it is done.
  if (!free_[id] || (!lanes_[id]->idle() && !HEDDLE_PLANT(pool_gives_unfinished))) return nullptr;
  if (!HEDDLE_PLANT(pool_keeps_taken_free)) free_[id] = false;
  lanes_[id]->forget_failure();  // an error that nobody collected ended with its lease
  return lanes_[id].get();
}

Lane* LanePool::take_free(bool main_thread) {
  if (main_thread && lanes_[0] == nullptr) return nullptr;  // stream 0 is still to be created
  for (std::size_t id = main_thread ? 0 : 1; id < lanes_.size(); ++id) {
    if (Lane* const lane = take_if_idle(id)) return lane;
  }
  return nullptr;
}

std::optional<std::uint32_t> LanePool::reserve_id(bool main_thread) {
  if (main_thread && lanes_[0] == nullptr) return 0;
  const std::uint32_t most = policy_ == ExhaustionPolicy::kGrowThenWait ? limits_.streams_max : limits_.streams;
  if (!unused_ids_.empty()) {
    const std::uint32_t id = unused_ids_.back();
    unused_ids_.pop_back();
    return id;
  }
  if (ids_ > most) return std::nullopt;
  // All places now, so that neither a lane nor its number is lost where host memory runs out.
  const std::size_t places = ids_ + std::size_t{1};
  free_.resize(places);
  returned_.reserve(places);
  stopping_.reserve(places);
  unused_ids_.reserve(places);
  sync::require_host_memory();
  lanes_.resize(places);  // last: for each lane there is a place in free_
  return ids_++;
}

std::unique_ptr<Lane> LanePool::create_lane(std::uint32_t id) {
  std::unique_ptr<Queue> queue;
  device_->create_queue(StreamId{id}, &queue).raise();
  sync::require_host_memory();
  return std::make_unique<Lane>(StreamId{id}, *device_, std::move(queue), limits_, wait_,
                                LaneServices{&handlers_, poller_.get(), commits_});
}

void LanePool::add_slot(std::shared_ptr<LeaseSlot> slot) {
  sync::MutexLock lock(mutex_);
  sync::require_host_memory();
  slots_.push_back(std::move(slot));
}

void LanePool::remove_slot(const LeaseSlot& slot) noexcept {
  sync::MutexLock lock(mutex_);
  std::erase_if(slots_, [&](const auto& candidate) { return candidate.get() == &slot; });
}

void LanePool::on_progress(Queue& queue) noexcept { static_cast<Lane*>(queue.owner())->on_progress(); }

}  // namespace HEDDLE_NS
