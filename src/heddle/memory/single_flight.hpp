// SingleFlight: of the threads that ran out of memory, one reclaims; the others wait until it is done, and search
// again.
//
// Thread safety: all members. Locks: mutex_ (kReclaim); it is not held while somebody flies.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class SingleFlight {
 public:
  // True: the caller flies, and calls land(). False: another thread has flown meanwhile.
  bool board() {
    sync::MutexLock lock(mutex_);
    if (!flying_) {
      flying_ = true;
      return true;
    }
    const std::uint64_t flight = flights_;
    while (flying_ && flights_ == flight) landed_.wait(mutex_);
    return false;
  }
  // As board(), but never waits: false when another thread flies.
  bool try_board() {
    sync::MutexLock lock(mutex_);
    if (flying_) return false;
    return flying_ = true;
  }
  void land() noexcept {
    sync::MutexLock lock(mutex_);
    flying_ = false;
    ++flights_;
    landed_.notify_all();
  }

 private:
  sync::Mutex mutex_{Rank::kReclaim};
  sync::ConditionVariable landed_;
  bool flying_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::uint64_t flights_ HEDDLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace HEDDLE_NS
