#include "heddle/stream/completion_line.hpp"

#include <algorithm>
#include <utility>

#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

CompletionLine::~CompletionLine() {
  sync::MutexLock lock(mutex_);
  HEDDLE_CHECK(entries_.empty(), "a stream was destroyed while completion handlers waited on it");
}

bool CompletionLine::add(Entry&& entry) {
  sync::MutexLock lock(mutex_);
  if (closed_) return false;
  // Usually at the end; the library's own entries may name an older ticket.
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), entry.ticket,
                                      [](Ticket ticket, const Entry& other) { return ticket < other.ticket; });
  const bool first = entries_.empty();
  entries_.insert(after, std::move(entry));
  ++counts_.registered;
  if (first && !HEDDLE_PLANT(line_without_watch)) queue_.watch();
  front_.store(entries_.front().ticket.value, sync::seq_cst);
  return true;
}

void CompletionLine::close() {
  sync::MutexLock lock(mutex_);
  closed_ = true;
}

void CompletionLine::wait_for_room(std::size_t most, const sync::Atomic<bool>& stop) {
  sync::MutexLock lock(mutex_);
  if (counts_.pending() < most) return;
  sync::NoWaiting::refuse("registering a handler while as many as the limit allows are pending");
  ++waiting_for_room_;
  while (counts_.pending() >= most && !stop.load(sync::seq_cst)) room_.wait(mutex_);
  --waiting_for_room_;
}

void CompletionLine::wake() noexcept {
  sync::MutexLock lock(mutex_);
  room_.notify_all();
}

void CompletionLine::count(Outcome outcome) {
  if (outcome == Outcome::kNone) return;
  ++(outcome == Outcome::kAbandoned ? counts_.abandoned : counts_.run);
  if (waiting_for_room_ != 0) room_.notify_all();
}

bool CompletionLine::take(Ticket limit, Entry* out, Outcome previous) {
  sync::MutexLock lock(mutex_);
  count(previous);
  if (entries_.empty() || entries_.front().ticket > limit) return false;
  *out = std::move(entries_.front());
  entries_.pop_front();
  front_.store(entries_.empty() ? kNone : entries_.front().ticket.value, sync::seq_cst);
  if (entries_.empty()) queue_.unwatch();
  return true;
}

void CompletionLine::note_finished(Outcome outcome) {
  sync::MutexLock lock(mutex_);
  count(outcome);
}

CompletionLine::Counts CompletionLine::counts() const {
  sync::MutexLock lock(mutex_);
  return counts_;
}

}  // namespace HEDDLE_NS
