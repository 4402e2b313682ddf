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
  // Throws PoolExhausted or Closed.
  explicit Recording(const std::shared_ptr<LanePool>& pool);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Lane& lane() noexcept { return *lane_; }

 private:
  LanePool& pool_;
  LeaseSlot* slot_;
  Lane* lane_;
};

// An explicit lease: commits what its thread recorded before, then its thread records on this stream until the lease
// ends, then (again) on the lease it had before. Movable within its thread; must be destroyed on the thread that made
// it.
class Lease {
 public:
  explicit Lease(std::shared_ptr<LanePool> pool);
  ~Lease();
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&&) = delete;

  StreamId id() const noexcept { return id_; }

 private:
  std::shared_ptr<LanePool> pool_;
  std::shared_ptr<LeaseSlot> slot_;
  StreamId id_;
};

}  // namespace HEDDLE_NS
