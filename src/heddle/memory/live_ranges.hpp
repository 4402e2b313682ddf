// LiveRanges: a second opinion on which memory is in use. Aborts when two live blocks overlap, and when a block is
// freed that is not live. For builds with debug checks.
//
// Thread safety: all members. Locks: mutex_ (kLeaf).
#pragma once

#include <cstddef>
#include <map>

#include "heddle/base/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class LiveRanges {
 public:
  void add(const Block& block);
  void remove(const Block& block);

 private:
  sync::Mutex mutex_{Rank::kLeaf};
  std::map<const std::byte*, std::size_t> bytes_ HEDDLE_GUARDED_BY(mutex_);  // by begin
};

}  // namespace HEDDLE_NS
