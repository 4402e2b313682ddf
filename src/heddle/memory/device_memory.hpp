// The memory of one device: blocks for streams, within one budget.
//
// Contract (this interface stays when heaps per stream replace what is behind it):
//  1. A block freed on its own stream is reusable there at once: the stream's order protects it.
//  2. Another stream may get it only when the home stream has completed everything issued before the free, and every
//     foreign use is complete.
//  3. reserved <= limit at every moment; a failed allocation changes nothing.
//  4. free() is noexcept, takes any thread, and never calls the device.
// Behind it for now: exact-size bins per stream over best-fit spans, under one mutex (kAllocator). See
// docs/architecture.md.
// Thread safety: all members.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heddle/base/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/span_map.hpp"
#include "heddle/memory/statistics.hpp"

namespace HEDDLE_NS {

class Lane;

class DeviceMemory {
 public:
  // `limit` bytes at most are ever obtained from `device`.
  DeviceMemory(Device& device, std::size_t limit);
  ~DeviceMemory();  // REQUIRES: no live block, all streams idle
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // A block of at least `bytes` (0 counts as 1) for use in the order of `lane`, with one reference. Where nothing is
  // free, it commits `lane` and waits, 2 s at most, for work that still uses freed blocks.
  // Throws OutOfMemory with a report. REQUIRES: the caller holds lane's lease, and no lock.
  Block* allocate(Lane& lane, std::size_t bytes);
  // As allocate, but null instead of throwing.
  Block* try_allocate(Lane& lane, std::size_t bytes);
  // Gives a block without references back. Does nothing in a forked child.
  void free(Block* block) noexcept;

  // A block over memory of the user's, with one reference. `deleter` is called once nothing refers to it and no stream
  // uses it any more: at once on the thread that dropped it, or later on the handler thread; never when the runtime
  // shut down while a stream might still use it. Counts as a live block of 0 bytes.
  Block* adopt(void* data, std::size_t bytes, std::function<void()> deleter);

  // Sizes of the blocks that are live, largest first, at most `most`.
  std::vector<std::size_t> live_sizes(std::size_t most) const;

  // Once no block is live (possibly now), drops `owner`, which may destroy this object. Called once, at close.
  void retire(std::shared_ptr<void> owner) noexcept;

  // Gives idle segments back to the device; returns the bytes.
  std::size_t release_cached();

  MemoryStatistics statistics() const;
  // One line: limit, reserved, in use, free, still used by other streams.
  std::string report() const;

 private:
  struct Node;
  struct ExternalNode;
  struct LaneBins;

  Node* take_cached(Lane& lane, std::size_t index) HEDDLE_REQUIRES(mutex_);
  Node* take_span(std::size_t index) HEDDLE_REQUIRES(mutex_);
  Node* climb(Lane& lane, std::size_t index) HEDDLE_EXCLUDES(mutex_);
  Node* grow(std::size_t index) HEDDLE_EXCLUDES(mutex_);
  void settle_pending() HEDDLE_REQUIRES(mutex_);
  void collect_completed() HEDDLE_REQUIRES(mutex_);
  void put_back(Node* node) HEDDLE_REQUIRES(mutex_);
  std::size_t release_idle() HEDDLE_EXCLUDES(mutex_);
  void free_external(ExternalNode* node) noexcept HEDDLE_EXCLUDES(mutex_);
  void link(Block& block) HEDDLE_REQUIRES(mutex_);
  // Returns the owner to drop, without the lock, when this was the last live block.
  std::shared_ptr<void> unlink(Block& block) HEDDLE_REQUIRES(mutex_);
  MemoryStatistics statistics_locked() const HEDDLE_REQUIRES(mutex_);

  Device& device_;
  const std::size_t limit_;
  mutable sync::Mutex mutex_{Rank::kAllocator};
  SpanMap spans_ HEDDLE_GUARDED_BY(mutex_);               // free, and no stream uses it any more
  std::vector<LaneBins> bins_ HEDDLE_GUARDED_BY(mutex_);  // by stream id: free, reusable on that stream at once
  std::vector<Node*> pending_ HEDDLE_GUARDED_BY(mutex_);  // free, but another stream still uses it
  Block* live_ HEDDLE_GUARDED_BY(mutex_) = nullptr;       // all live blocks, linked
  MemoryStatistics counts_ HEDDLE_GUARDED_BY(mutex_);
  std::shared_ptr<void> owner_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS
