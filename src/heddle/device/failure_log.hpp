// Which tickets of one queue failed, and why.
//
// A queue that fails at ticket t is *failed* from t on: it skips every later list until the error is cleared, and all
// tickets of that range carry the error. First error wins. Bounded: beyond kMost ranges the oldest two are merged,
// which can only make an old ticket's error text less exact, never turn a failure into success. Failing needs no host
// memory, as a list may fail for want of it: the places of all ranges are made with the log. Thread safety: all
// members, from any thread. The status of a list is recorded before its ticket is published.
#pragma once

#include <cstddef>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

class FailureLog {
 public:
  FailureLog();  // throws bad_alloc
  // Opens a failed range at `first` (the first ticket of the failing list). Ignored while a range is open.
  void fail(Ticket first, Status status) noexcept;
  // Closes the open range: tickets up to and including `last` carry its error, later ones do not.
  void clear(Ticket last) noexcept;
  // True while a range is open: lists are skipped.
  bool failing() const noexcept { return failing_.load(sync::acquire); }
  // One load; false means that every ticket is fine.
  bool ever_failed() const noexcept { return ever_failed_.load(sync::acquire); }
  // The error of a completed ticket; ok() when it did not fail.
  Status status_of(Ticket ticket) const;
  // As status_of, but ok() for tickets of the open range, whose error synchronize() is still to throw. One load where
  // nothing ever failed.
  Status cleared_error_of(Ticket ticket) const;
  // How many tickets up to `completed` carry an error.
  std::uint64_t failed_tickets(Ticket completed) const;
  // The error of the open range; ok() when none is open.
  Status open_error() const;

 private:
  static constexpr std::size_t kMost = 64;
  struct Range {
    Ticket first, last;
    Status status;
  };
  mutable sync::Mutex mutex_{Rank::kFailureLog};
  std::vector<Range> ranges_ HEDDLE_GUARDED_BY(mutex_);
  std::uint64_t cleared_tickets_ HEDDLE_GUARDED_BY(mutex_) = 0;  // of ranges that are closed; survives their merging
  sync::Atomic<bool> failing_{false};
  sync::Atomic<bool> ever_failed_{false};
};

}  // namespace HEDDLE_NS
