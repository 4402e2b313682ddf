// Segments: the simulated device's memory, which is the host's, with a size, scripted failures, and checked accesses.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kLeaf).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/device/operands.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::sim {

class Segments {
 public:
  explicit Segments(std::size_t total_bytes) : total_bytes_(total_bytes) {}
  MemoryInfo info() const;
  Status allocate(std::size_t bytes, void** out);
  void release(void* segment, std::size_t bytes) noexcept;
  // Ok where every access of the list that touches a live segment stays inside it; otherwise kDeviceError, with the
  // command and the operand. Memory outside of all segments is the host's or the user's.
  Status check(const CommandList& list) const;
  // The n-th allocation from now on (from 1) fails; with `forever`, all after it too. Replaces an earlier script.
  void fail(std::uint64_t nth, bool forever);

 private:
  using Ends = std::map<std::uintptr_t, std::uintptr_t>;  // by where a segment begins
  static bool leaves_segment(const Operand& operand, const Ends& live) noexcept;
  static Status check(const CommandView& command, const Ends& live);

  const std::size_t total_bytes_;
  mutable sync::Mutex mutex_{Rank::kLeaf};
  Ends live_ HEDDLE_GUARDED_BY(mutex_);
  std::size_t used_bytes_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint64_t allocations_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint64_t failing_ HEDDLE_GUARDED_BY(mutex_) = 0;  // number of the allocation that fails; 0: none
  bool failing_forever_ HEDDLE_GUARDED_BY(mutex_) = false;
};

}  // namespace HEDDLE_NS::sim
