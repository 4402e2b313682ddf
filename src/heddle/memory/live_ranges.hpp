// LiveRanges: a second opinion on which memory is in use. Aborts when two live blocks overlap, and when a block is
// freed that is not live. For builds with debug checks.
//
// Thread safety: all members. Locks: mutex_ (kLeaf).
#pragma once

#include <cstddef>
#include <map>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class LiveRanges {
 public:
  // Where host memory runs out the block is not watched.
  void add(const Block& block) noexcept;
  void remove(const Block& block) noexcept;

 private:
  using Ranges = std::map<const std::byte*, std::size_t>;
  sync::Mutex mutex_{Rank::kLeaf};
  Ranges bytes_ HEDDLE_GUARDED_BY(mutex_);             // by begin
  std::size_t unknown_ HEDDLE_GUARDED_BY(mutex_) = 0;  // live blocks that are not watched
};

}  // namespace HEDDLE_NS
