#include "heddle/device/failure_log.hpp"

#include <limits>
#include <utility>

namespace HEDDLE_NS {

namespace {
constexpr Ticket kOpen{std::numeric_limits<std::uint64_t>::max()};
}

FailureLog::FailureLog() {
  sync::MutexLock lock(mutex_);
  ranges_.reserve(kMost);
}

void FailureLog::fail(Ticket first, Status status) noexcept {
  sync::MutexLock lock(mutex_);
  if (!ranges_.empty() && ranges_.back().last == kOpen) return;
  if (ranges_.size() == kMost) {
    ranges_[1].first = ranges_[0].first;
    ranges_.erase(ranges_.begin());
  }
  ranges_.push_back({first, kOpen, std::move(status)});
  ever_failed_.store(true, sync::release);
  failing_.store(true, sync::release);
}

void FailureLog::clear(Ticket last) noexcept {
  sync::MutexLock lock(mutex_);
  if (ranges_.empty() || ranges_.back().last != kOpen) return;
  ranges_.back().last = last;
  cleared_tickets_ += last.value + 1 - ranges_.back().first.value;
  failing_.store(false, sync::release);
}

Status FailureLog::status_of(Ticket ticket) const {
  if (!ever_failed_.load(sync::acquire)) return {};
  sync::MutexLock lock(mutex_);
  for (const Range& range : ranges_) {
    if (range.first <= ticket && ticket <= range.last) return range.status;
  }
  return {};
}

Status FailureLog::cleared_error_of(Ticket ticket) const {
  if (!ever_failed_.load(sync::acquire)) return {};
  sync::MutexLock lock(mutex_);
  for (const Range& range : ranges_) {
    if (range.last != kOpen && range.first <= ticket && ticket <= range.last) return range.status;
  }
  return {};
}

std::uint64_t FailureLog::failed_tickets(Ticket completed) const {
  if (!ever_failed_.load(sync::acquire)) return 0;
  sync::MutexLock lock(mutex_);
  const bool open = !ranges_.empty() && ranges_.back().last == kOpen && ranges_.back().first <= completed;
  return cleared_tickets_ + (open ? completed.value + 1 - ranges_.back().first.value : 0);
}

Status FailureLog::open_error() const {
  if (!failing()) return {};
  sync::MutexLock lock(mutex_);
  if (ranges_.empty() || ranges_.back().last != kOpen) return {};
  return ranges_.back().status;
}

}  // namespace HEDDLE_NS
