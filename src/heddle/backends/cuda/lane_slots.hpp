// LaneSlots: per queue, a record in device memory and a word in pinned memory. The tick kernel writes both; the host
// reads the word.
//
// Allocated once, when the device opens: kMostLanes records of 8 bytes, and one word per cache line, so that no two
// lanes share a line. Thread safety: all members. Locks: mutex_ (kLeaf).
// Invariants: 1. A word outlives its queue. 2. A slot is zero when it is reused.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/backends/cuda/kernels/launch.hpp"
#include "heddle/backends/cuda/pinned.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

class LaneSlots;

// A slot; its destructor returns it. REQUIRES then: no work on the device writes to it.
class LaneSlot {
 public:
  LaneSlot() = default;
  ~LaneSlot();
  LaneSlot(LaneSlot&& other) noexcept { *this = std::move(other); }
  LaneSlot& operator=(LaneSlot&& other) noexcept;

  LaneRecord* record() const noexcept { return record_; }
  sync::Atomic<std::uint64_t>* word() const noexcept { return word_; }
  // The address that the tick kernel writes to.
  std::uint64_t* device_word() const noexcept { return reinterpret_cast<std::uint64_t*>(word_); }

 private:
  friend class LaneSlots;
  LaneSlots* owner_ = nullptr;
  std::size_t index_ = 0;
  LaneRecord* record_ = nullptr;
  sync::Atomic<std::uint64_t>* word_ = nullptr;
};

class LaneSlots {
 public:
  static constexpr std::size_t kMostLanes = 4160;  // PoolLimits::streams_max is at most 4096

  explicit LaneSlots(int device) : device_(device) {}
  ~LaneSlots();
  LaneSlots(const LaneSlots&) = delete;
  LaneSlots& operator=(const LaneSlots&) = delete;

  Status open(PinnedMemory& pinned);
  // Waits on `stream` until the record is zero.
  Status take(cudaStream_t stream, LaneSlot* out);

 private:
  friend class LaneSlot;
  void give(std::size_t index) noexcept;

  static constexpr std::size_t kLine = 64;
  const int device_;
  LaneRecord* records_ = nullptr;
  std::shared_ptr<std::byte> words_;
  sync::Mutex mutex_{Rank::kLeaf};
  std::vector<std::size_t> free_ HEDDLE_GUARDED_BY(mutex_);  // its capacity holds all, so give() needs no memory
};

}  // namespace HEDDLE_NS::cuda
