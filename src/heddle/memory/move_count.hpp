// MoveCount: tells an audit whether memory moved between heaps, depot and device while it looked.
//
// Thread safety: all members.
#pragma once

#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

class MoveCount {
 public:
  // While one lives, memory may move.
  class Moving {
   public:
    explicit Moving(MoveCount& count) noexcept : count_(count) { count_.begun_.fetch_add(1, sync::seq_cst); }
    ~Moving() { count_.ended_.fetch_add(1, sync::seq_cst); }
    Moving(const Moving&) = delete;
    Moving& operator=(const Moving&) = delete;

   private:
    MoveCount& count_;
  };

  // Before the look, and after it: nothing moved if none has begun that had not ended before.
  std::uint64_t ended() const noexcept { return ended_.load(sync::seq_cst); }
  bool none_since(std::uint64_t ended) const noexcept { return begun_.load(sync::seq_cst) == ended; }

 private:
  sync::Atomic<std::uint64_t> begun_{0}, ended_{0};
};

}  // namespace HEDDLE_NS
