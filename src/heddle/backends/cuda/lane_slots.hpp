// LaneSlots: for each queue a record in device memory and a word in pinned memory, which the tick kernel writes and the
// host reads.
//
// Obtained once, when the device is opened: kMostLanes records of 8 bytes, and words a cache line apart, so that no two
// lanes' words share one. Thread safety: all members. Locks: mutex_ (kLeaf).
// Invariants: 1. A word outlives the queue that had it. 2. A slot that is given out again is zero.
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

// A slot; given back by its destructor. REQUIRES then: no work that writes it is on the device.
class LaneSlot {
 public:
  LaneSlot() = default;
  ~LaneSlot();
  LaneSlot(LaneSlot&& other) noexcept { *this = std::move(other); }
  LaneSlot& operator=(LaneSlot&& other) noexcept;

  LaneRecord* record() const noexcept { return record_; }
  sync::Atomic<std::uint64_t>* word() const noexcept { return word_; }
  // As the tick kernel writes it.
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
  static constexpr std::size_t kMostLanes = 4160;  // Limits::streams_max is at most 4096

  explicit LaneSlots(int device) : device_(device) {}
  ~LaneSlots();
  LaneSlots(const LaneSlots&) = delete;
  LaneSlots& operator=(const LaneSlots&) = delete;

  Status open(PinnedMemory& pinned);
  // Waits, on `stream`, until the record is zero.
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
