// Recording: the calling thread inside its lease, for one operation (or one call on its stream).
//
//   Recording recording(pool);                 // the thread's current lease; an implicit one if it has none
//   recording.lane().append(...);
//
// Thread safety: an object of one thread's stack; recordings of one thread on one pool do not nest.
#pragma once

#include "heddle/base/namespace.hpp"
#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

class Recording {
 public:
  // Throws PoolExhausted, WouldBlock, Closed or Forked.
  explicit Recording(const std::shared_ptr<LanePool>& pool);
  // With this lease, which must be attached to the calling thread (else InvalidArgument), whatever the current one is.
  Recording(const std::shared_ptr<LanePool>& pool, const std::shared_ptr<LeaseSlot>& slot);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Lane& lane() noexcept { return *lane_; }

 private:
  void enter(const std::shared_ptr<LanePool>& pool);

  LanePool& pool_;
  LeaseSlot* slot_;
  Lane* lane_ = nullptr;
};

}  // namespace HEDDLE_NS
