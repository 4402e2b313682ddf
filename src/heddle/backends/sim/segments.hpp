// Segments: the simulated device's memory, which is the host's, with a size and scripted failures.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kLeaf).
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::sim {

class Segments {
 public:
  explicit Segments(std::size_t total_bytes) : total_bytes_(total_bytes) {}
  MemoryInfo info() const;
  Status allocate(std::size_t bytes, void** out);
  void release(void* segment, std::size_t bytes) noexcept;
  // The n-th allocation from now on (from 1) fails; with `forever`, all after it too. Replaces an earlier script.
  void fail(std::uint64_t nth, bool forever);

 private:
  const std::size_t total_bytes_;
  mutable sync::Mutex mutex_{Rank::kLeaf};
  std::size_t used_bytes_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint64_t allocations_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint64_t failing_ HEDDLE_GUARDED_BY(mutex_) = 0;  // number of the allocation that fails; 0: none
  bool failing_forever_ HEDDLE_GUARDED_BY(mutex_) = false;
};

}  // namespace HEDDLE_NS::sim
