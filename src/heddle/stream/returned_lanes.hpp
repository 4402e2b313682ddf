// ReturnedLanes: the lanes whose leases ended while what was recorded on them was still to be committed. The next
// thread that takes a lane commits them, or the close.
//
// Thread safety: none; the pool's mutex guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

class Lane;

class ReturnedLanes {
 public:
  // Makes room for all lanes there can be, so that returning one needs no host memory. Throws bad_alloc.
  void expect(std::size_t lanes) { lanes_.reserve(lanes); }

  void add(Lane* lane) noexcept { lanes_.push_back(lane); }
  // One of them, whose commit is under way until end_commit(); null when there is none.
  Lane* begin_commit() noexcept {
    if (lanes_.empty()) return nullptr;
    Lane* const lane = lanes_.back();
    lanes_.pop_back();  // it keeps its room
    ++under_way_;
    return lane;
  }
  // The commit of a lane that comes straight from its lease.
  void begin_commit_of_leased() noexcept { ++under_way_; }
  // Not committed: it is here again.
  void end_commit(Lane* lane, bool committed) noexcept {
    --under_way_;
    if (!committed) lanes_.push_back(lane);
  }
  // Some thread commits one.
  bool commits() const noexcept { return under_way_ != 0; }

 private:
  std::vector<Lane*> lanes_;
  std::uint32_t under_way_ = 0;
};

}  // namespace HEDDLE_NS
