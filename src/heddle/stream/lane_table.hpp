// LaneTable: which lanes of a pool exist, and which of them are free. MainLane: stream 0, the exception.
//
// Thread safety: none; the pool's mutex guards both.
// Invariants: 1. A lane is taken only idle; one that its last holder left running is passed over until it is done.
// 2. Each id has at most one lane, ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/lane.hpp"

namespace HEDDLE_NS {

// A lane and whether it is free.
class LanePlace {
 public:
  bool exists() const noexcept { return lane_ != nullptr; }
  bool is_free() const noexcept { return free_; }
  Lane* lane() const noexcept { return lane_.get(); }
  // The new lane is its creator's.
  void fill(std::unique_ptr<Lane> lane) noexcept { lane_ = std::move(lane); }
  void set_free() noexcept { free_ = true; }
  // Null when the lane is not free, or still runs what its last holder left.
  Lane* take() noexcept;

 private:
  std::unique_ptr<Lane> lane_;
  bool free_ = false;
};

// What close() leaves, whether or not it met its deadline.
struct LaneTotals {
  std::uint64_t completed = 0;  // commands, over all lanes
  std::uint64_t failed = 0;     // of those: closed with an error
  std::uint64_t abandoned = 0;  // recorded, but not complete
};

// Stream 0. Only the process's main thread may have it, so it is outside the order of waiters, and it is never taken
// from its holder for another thread.
class MainLane : public LanePlace {
 public:
  static constexpr std::uint32_t kId = 0;
  static bool is(const Lane& lane) noexcept { return lane.id().value == kId; }
  // Whether the calling thread may have it.
  bool is_callers() const noexcept;
};

class LaneTable {
 public:
  MainLane& main() noexcept { return main_; }
  const MainLane& main() const noexcept { return main_; }

  // The free worker lane of the lowest id; null when none is free and idle.
  Lane* take_lowest() noexcept;
  bool any_worker_free() const noexcept;
  LanePlace& place(std::uint32_t id) noexcept { return id == MainLane::kId ? main_ : workers_[id - 1]; }
  LanePlace& place(const Lane& lane) noexcept { return place(lane.id().value); }

  // The id of a worker lane that the device refused to create before; none when there is none.
  std::optional<std::uint32_t> take_refused_id() noexcept;
  bool any_refused() const noexcept { return !refused_ids_.empty(); }
  // The device refused to create the lane of this id, which may be tried again.
  void refuse(std::uint32_t id) noexcept {
    if (id != MainLane::kId) refused_ids_.push_back(id);
  }
  // The id of one more worker lane. Throws bad_alloc, nothing is changed then.
  std::uint32_t add_worker();

  std::size_t workers() const noexcept { return workers_.size(); }
  // Places, of lanes that exist and of others: ids are below this.
  std::uint32_t places() const noexcept { return static_cast<std::uint32_t>(workers_.size() + 1); }
  template <class Visit>
  void visit(const Visit& visit) const {
    if (main_.exists()) visit(*main_.lane());
    for (const LanePlace& place : workers_) {
      if (place.exists()) visit(*place.lane());
    }
  }

  LaneTotals totals() const;
  // Adds the counts of the lanes' own handlers.
  void add_handlers(HandlerStatistics& statistics) const;
  // Something that was recorded is not complete, or a handler has not ended. Needs no host memory.
  bool has_work() const noexcept;

 private:
  std::vector<LanePlace> workers_;          // of id - 1
  std::vector<std::uint32_t> refused_ids_;  // room for all workers
  MainLane main_;
};

}  // namespace HEDDLE_NS
