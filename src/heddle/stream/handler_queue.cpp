#include "heddle/stream/handler_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

HandlerQueue::~HandlerQueue() {
  sync::MutexLock lock(mutex_);
  HEDDLE_CHECK(empty(), "a stream was destroyed while completion handlers waited on it");
}

bool HandlerQueue::add(Entry&& entry) {
  sync::MutexLock lock(mutex_);
  bool takes = !closed_;
  if (HEDDLE_PLANT(line_takes_when_closed)) takes = true;
  if (!takes) return false;
  const bool first = empty();
  // Usually at the end; the library's own entries may name an older ticket.
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(head_);
  auto at = entries_.end();
  while (at != begin && entry.ticket < std::prev(at)->ticket) --at;
  const bool leads = at == begin;
  const Ticket ticket = entry.ticket;
  sync::require_host_memory();
  const bool is_own = entry.is_library_own;
  entries_.insert(at, std::move(entry));
  if (is_own) {
    ++own_pending_;
  } else {
    ++counts_.registered;
    ++taking_room_;
  }
  bool watches = first;
  if (HEDDLE_PLANT(line_without_watch)) watches = false;
  if (watches) device_queue_.watch();
  // After another entry it needs no announcement: whoever takes that one out publishes this one, and looks again.
  if (leads) front_.store(ticket.value, sync::seq_cst);
  return true;
}

void HandlerQueue::close() {
  sync::MutexLock lock(mutex_);
  closed_ = true;
}

bool HandlerQueue::has_room(std::size_t most) const {
  sync::MutexLock lock(mutex_);
  return taking_room_ < most;
}

bool HandlerQueue::wait_for_room(std::size_t most, const sync::Atomic<bool>& stop, sync::Duration wait_most) {
  sync::MutexLock lock(mutex_);
  if (taking_room_ < most) return true;
  sync::NoWaiting::refuse("registering a handler while as many as the limit allows are pending");
  const sync::Deadline deadline = sync::Deadline::after(wait_most);
  ++waiting_for_room_;
  while (taking_room_ >= most && !stop.load(sync::seq_cst)) {
    if (!room_.wait_until(mutex_, deadline)) break;
  }
  --waiting_for_room_;
  return taking_room_ < most || stop.load(sync::seq_cst);
}

std::string HandlerQueue::crowd() const {
  sync::MutexLock lock(mutex_);
  if (empty()) return fmt::format("{} are pending; one runs on the handler thread", taking_room_);
  const Entry& first = entries_[head_];
  const std::uint64_t completed = device_queue_.completed().value;
  return fmt::format("{} are pending; the first that waits, '{}', waits for {}", taking_room_, first.options.name,
                     completed < first.ticket.value
                         ? fmt::format("ticket {}, and the device has completed {}", first.ticket.value, completed)
                         : std::string("its turn on the handler thread, which runs another"));
}

void HandlerQueue::wake() noexcept {
  sync::MutexLock lock(mutex_);
  room_.notify_all();
}

void HandlerQueue::count(Outcome outcome) {
  switch (outcome) {
    case Outcome::kNone: break;
    case Outcome::kRun: ++counts_.run; break;
    case Outcome::kAbandoned: ++counts_.abandoned; break;
    case Outcome::kLibraryOwn: --own_pending_; break;
  }
}

void HandlerQueue::count_here(Outcome outcome) {
  count(outcome);
  if (outcome == Outcome::kRun || outcome == Outcome::kAbandoned) --taking_room_;
}

void HandlerQueue::wake_for_room() {
  if (HEDDLE_PLANT(line_frees_room_quietly)) return;
  if (waiting_for_room_ != 0) room_.notify_all();
}

bool HandlerQueue::take(Ticket limit, Entry* out, Outcome previous) {
  sync::MutexLock lock(mutex_);
  count_here(previous);
  if (empty() || entries_[head_].ticket > limit) {
    wake_for_room();
    return false;
  }
  *out = std::move(entries_[head_]);
  bool goes_away = out->options.executor != nullptr;
  if (HEDDLE_PLANT(line_counts_what_went_away)) goes_away = false;
  if (goes_away) {
    --taking_room_;
    wake_for_room();
  }
  drop_first();
  front_.store(empty() ? kNone : entries_[head_].ticket.value, sync::seq_cst);
  if (HEDDLE_PLANT(line_keeps_watching)) return true;
  if (empty()) device_queue_.unwatch();
  return true;
}

void HandlerQueue::drop_first() {
  if (++head_ == entries_.size()) {
    entries_.clear();
    head_ = 0;
  } else if (head_ >= kMostSpent && head_ * 2 >= entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void HandlerQueue::note_finished(Outcome outcome) {
  sync::MutexLock lock(mutex_);
  count_here(outcome);
  wake_for_room();
}

void HandlerQueue::note_finished_elsewhere(Outcome outcome) {
  sync::MutexLock lock(mutex_);
  count(outcome);
}

HandlerQueue::Counts HandlerQueue::counts() const {
  sync::MutexLock lock(mutex_);
  return counts_;
}

bool HandlerQueue::idle() const {
  sync::MutexLock lock(mutex_);
  return counts_.pending() == 0 && own_pending_ == 0;
}

}  // namespace HEDDLE_NS
