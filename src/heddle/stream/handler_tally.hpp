// HandlerTally: how many handlers failed and how many were slow, over all streams, and the slowest of them.
//
// Thread safety: all members. Locks: mutex_ (kHandlers), never held with another of that rank.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class HandlerTally {
 public:
  void count_failed() noexcept {
    sync::MutexLock lock(mutex_);
    ++failed_;
  }
  void count_slow(StreamId stream, const std::string& name, sync::Duration took) noexcept {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took);
    sync::MutexLock lock(mutex_);
    ++slow_;
    const auto before =
        std::find_if(slowest_.begin(), slowest_.end(), [&](const SlowHandler& other) { return other.took < micros; });
    try {
      slowest_.insert(before, {name, stream, micros});
    } catch (...) {
      return;  // no memory for the name: it is counted all the same
    }
    if (slowest_.size() > kMostSlowest) slowest_.pop_back();
  }
  void add_to(HandlerStatistics& statistics) const {
    sync::MutexLock lock(mutex_);
    statistics.failed += failed_;
    statistics.slow += slow_;
    statistics.slowest = slowest_;
  }

 private:
  static constexpr std::size_t kMostSlowest = 16;

  mutable sync::Mutex mutex_{Rank::kHandlers};
  std::uint64_t failed_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint64_t slow_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::vector<SlowHandler> slowest_ HEDDLE_GUARDED_BY(mutex_);  // the slowest first
};

}  // namespace HEDDLE_NS
