// PinnedMemory: host memory that the device reads and writes directly, in blocks whose addresses repeat.
//
// Blocks come in powers of two from slabs that are obtained from CUDA and kept. Of the free blocks of a size, the
// lowest goes first, so a loop that returns its blocks gets the same addresses in each iteration. contains() decides
// whether a kernel may do a copy, so it takes no lock.
// Thread safety: all members; blocks return on any thread, including in a forked child, where that does nothing. Locks:
// growing_ (kPageSource) while CUDA allocates a slab, so that threads which take or return a block never wait for the
// driver; mutex_ (kLeaf). Invariants: 1. Slabs stay allocated until the end. 2. A slab is visible to contains() before
// one of its blocks is handed out. A block may outlive the object's owner: it shares the object.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "heddle/backends/cuda/free_blocks.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

class PinnedMemory : public std::enable_shared_from_this<PinnedMemory> {
 public:
  explicit PinnedMemory(int device) : device_(device) {}
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  // At least `bytes`, aligned to 256. The block returns when its last owner drops it.
  Status allocate(std::size_t bytes, std::shared_ptr<std::byte>* out);
  // True if all of [address, address + bytes) is memory of this object.
  bool contains(const void* address, std::size_t bytes) const noexcept;
  std::size_t reserved_bytes() const;

 private:
  static constexpr std::size_t kSmallest = 256;
  static constexpr std::size_t kClasses = 40;
  static constexpr std::size_t kFirstSlab = std::size_t{1} << 20;
  static constexpr std::size_t kMostSlabs = 64;  // each at least as large as all before it together
  struct Slab {
    std::byte* base;
    std::size_t bytes;
  };

  static std::size_t class_of(std::size_t bytes) noexcept;
  static constexpr std::size_t class_bytes(std::size_t index) noexcept { return kSmallest << index; }
  std::byte* take(std::size_t index) HEDDLE_REQUIRES(mutex_);
  void cut_rest() HEDDLE_REQUIRES(mutex_);
  Status grow(std::size_t bytes, std::size_t seen) HEDDLE_EXCLUDES(mutex_);
  void give_back(std::byte* block, std::size_t index) noexcept;

  const int device_;
  std::array<Slab, kMostSlabs> slabs_{};     // written under both mutexes
  sync::Atomic<std::size_t> slab_count_{0};  // release after the slab is written; acquire in contains()
  sync::Mutex growing_{Rank::kPageSource};
  sync::Mutex mutex_{Rank::kLeaf};
  std::size_t used_ HEDDLE_GUARDED_BY(mutex_) = 0;  // of the newest slab
  std::array<FreeBlocks, kClasses> free_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cuda
