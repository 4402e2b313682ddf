// DeviceLoss: whether and why the device is lost. The first reason stays.
//
// Thread safety: all members. Locks: mutex_ (kLeaf). Invariants: 1. lost() is sequentially consistent with the tickets
// that queues submit: either the thread that declares the loss sees a submitted list, or the submitter sees the loss.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

class DeviceLoss {
 public:
  bool lost() const noexcept { return lost_.load(sync::seq_cst); }
  void declare(const Status& status) {
    sync::MutexLock lock(mutex_);
    if (!status_.ok()) return;
    status_ = status;
    lost_.store(true, sync::seq_cst);
  }
  Status status() const {
    sync::MutexLock lock(mutex_);
    return status_;
  }

 private:
  sync::Atomic<bool> lost_{false};
  mutable sync::Mutex mutex_{Rank::kLeaf};
  Status status_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cuda
