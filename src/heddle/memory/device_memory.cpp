#include "heddle/memory/device_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "heddle/base/error.hpp"
#include "heddle/memory/size_class.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kSegmentGranule = 4096;
constexpr std::size_t kSegmentUsual = std::size_t{2} << 20;
// The wait of the last rung: for streams to finish what still uses freed blocks.
constexpr std::chrono::milliseconds kWaitMost{2000};
constexpr std::chrono::milliseconds kWaitStep{1};

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) noexcept { return (bytes + to - 1) / to * to; }

}  // namespace

struct DeviceMemory::Node : Block {
  std::size_t index = 0;  // size class
  Ticket freed_at;        // of the home stream: everything issued before the free
};

struct DeviceMemory::ExternalNode : Block {
  std::function<void()> deleter;
};

struct DeviceMemory::LaneBins {
  std::array<std::vector<Node*>, kSizeClasses> by_class;
};

DeviceMemory::DeviceMemory(Device& device, std::size_t limit) : device_(device), limit_(limit) {
  sync::MutexLock lock(mutex_);
  counts_.limit = limit;
}

DeviceMemory::~DeviceMemory() {
  std::vector<SpanMap::Segment> segments;
  {
    sync::MutexLock lock(mutex_);
    HEDDLE_CHECK(counts_.live_blocks == 0, "device memory destroyed while blocks are live");
    for (LaneBins& bins : bins_) {
      for (auto& bin : bins.by_class) {
        for (Node* node : bin) delete node;
      }
    }
    for (Node* node : pending_) delete node;
    segments = spans_.segments();
  }
  for (const auto& segment : segments) device_.release_segment(segment.base, segment.bytes);
}

Block* DeviceMemory::allocate(Lane& lane, std::size_t bytes) {
  Block* block = try_allocate(lane, bytes);
  if (block == nullptr) {
    throw OutOfMemory(fmt::format(
        "{} bytes were asked for on stream {}; {}; free tensors, raise the memory limit, or use fewer threads", bytes,
        lane.id().value, report()));
  }
  return block;
}

Block* DeviceMemory::try_allocate(Lane& lane, std::size_t bytes) {
  Node* node = nullptr;
  const bool possible = bytes <= limit_ && bytes <= kLargestBlock;
  const std::size_t index = possible ? size_class(bytes) : 0;
  if (possible) {
    sync::MutexLock lock(mutex_);
    node = take_cached(lane, index);
    if (node == nullptr) node = take_span(index);
  }
  if (possible && node == nullptr) node = climb(lane, index);
  sync::MutexLock lock(mutex_);
  if (node == nullptr) {
    ++counts_.out_of_memory;
    return nullptr;
  }
  node->requested = bytes;
  node->references.store(1, sync::relaxed);
  node->residency.reset(&lane);
  counts_.live += bytes;
  counts_.rounded += node->bytes;
  counts_.rounded_peak = std::max(counts_.rounded_peak, counts_.rounded);
  link(*node);
  ++counts_.allocations;
  return node;
}

DeviceMemory::Node* DeviceMemory::take_cached(Lane& lane, std::size_t index) {
  const std::size_t id = lane.id().value;
  if (id >= bins_.size()) bins_.resize(id + 1);
  auto& bin = bins_[id].by_class[index];
  if (bin.empty()) return nullptr;
  Node* node = bin.back();
  bin.pop_back();
  counts_.cached -= node->bytes;
  return node;
}

DeviceMemory::Node* DeviceMemory::take_span(std::size_t index) {
  const std::size_t bytes = class_bytes(index);
  std::byte* address = spans_.take(bytes);
  if (address == nullptr) return nullptr;
  Node* node = new Node;
  node->data = address;
  node->bytes = bytes;
  node->index = index;
  node->memory = this;
  return node;
}

// The ladder. After each rung the whole search is repeated. Rungs: foreign uses that ended; grow; other streams'
// completed blocks; idle segments back to the device, then grow; wait for this stream and others. Callbacks will stand
// before the wait.
DeviceMemory::Node* DeviceMemory::climb(Lane& lane, std::size_t index) {
  const std::size_t bytes = class_bytes(index);
  const auto search = [&]() -> Node* {
    sync::MutexLock lock(mutex_);
    settle_pending();
    Node* node = take_cached(lane, index);
    return node != nullptr ? node : take_span(index);
  };
  const auto collect_and_search = [&]() -> Node* {
    {
      sync::MutexLock lock(mutex_);
      settle_pending();
      collect_completed();
    }
    return search();
  };
  if (Node* node = search()) return node;
  if (Node* node = grow(index)) return node;
  if (Node* node = collect_and_search()) return node;
  release_idle();
  if (Node* node = grow(index)) return node;
  if (sync::NoWaiting::active()) return nullptr;
  lane.commit(SubmitHint::kCallerWaits);
  const sync::Deadline deadline = sync::Deadline::after(kWaitMost);
  while (true) {
    lane.wait(lane.committed(), deadline);
    if (Node* node = collect_and_search()) return node;
    release_idle();
    if (Node* node = grow(index)) return node;
    {
      sync::MutexLock lock(mutex_);
      if (counts_.cached + counts_.pending == 0 && spans_.free_bytes() + limit_ - counts_.reserved < bytes)
        return nullptr;
    }
    if (deadline.passed()) return nullptr;
    sync::sleep_for(kWaitStep);
  }
}

// The new span is taken under the lock that adds it, so that no other thread can take or release it first.
DeviceMemory::Node* DeviceMemory::grow(std::size_t index) {
  const std::size_t bytes = class_bytes(index);
  const std::size_t least = round_up(bytes, kSegmentGranule);
  // Small limits get small segments, so that many streams can share them.
  std::size_t wanted = std::max(least, std::min(kSegmentUsual, round_up(limit_ / 64, kSegmentGranule)));
  {
    sync::MutexLock lock(mutex_);
    if (limit_ - counts_.reserved < wanted) wanted = least;
    if (limit_ - counts_.reserved < wanted) return nullptr;
    counts_.reserved += wanted;
    counts_.reserved_peak = std::max(counts_.reserved_peak, counts_.reserved);
  }
  void* segment = nullptr;
  const Status status = device_.allocate_segment(wanted, &segment);
  sync::MutexLock lock(mutex_);
  if (!status.ok()) {
    counts_.reserved -= wanted;
    return nullptr;
  }
  ++counts_.segments_obtained;
  spans_.add_segment(static_cast<std::byte*>(segment), wanted);
  return take_span(index);
}

void DeviceMemory::free(Block* block) noexcept {
  if (sync::in_forked_child()) return;
  if (block->is_external) return free_external(static_cast<ExternalNode*>(block));
  Node* node = static_cast<Node*>(block);
  node->freed_at = node->residency.home()->issued();
  std::shared_ptr<void> owner;  // dropped after the lock: it may hold the last reference to this object
  sync::MutexLock lock(mutex_);
  counts_.live -= node->requested;
  counts_.rounded -= node->bytes;
  owner = unlink(*node);
  if (node->residency.has_foreign_uses() && !node->residency.settle()) {
    counts_.pending += node->bytes;
    pending_.push_back(node);
  } else {
    counts_.cached += node->bytes;
    bins_[node->residency.home()->id().value].by_class[node->index].push_back(node);
  }
}

void DeviceMemory::link(Block& block) {
  block.previous_live = nullptr;
  block.next_live = live_;
  if (live_ != nullptr) live_->previous_live = &block;
  live_ = &block;
  ++counts_.live_blocks;
}

std::shared_ptr<void> DeviceMemory::unlink(Block& block) {
  (block.previous_live != nullptr ? block.previous_live->next_live : live_) = block.next_live;
  if (block.next_live != nullptr) block.next_live->previous_live = block.previous_live;
  return --counts_.live_blocks == 0 ? std::exchange(owner_, nullptr) : nullptr;
}

std::vector<std::size_t> DeviceMemory::live_sizes(std::size_t most) const {
  std::vector<std::size_t> sizes;
  {
    sync::MutexLock lock(mutex_);
    for (const Block* block = live_; block != nullptr; block = block->next_live) sizes.push_back(block->requested);
  }
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  sizes.resize(std::min(sizes.size(), most));
  return sizes;
}

Block* DeviceMemory::adopt(void* data, std::size_t bytes, std::function<void()> deleter) {
  auto node = std::make_unique<ExternalNode>();
  node->data = data;
  node->bytes = bytes;
  node->memory = this;
  node->is_external = true;
  node->deleter = std::move(deleter);
  node->references.store(1, sync::relaxed);
  sync::MutexLock lock(mutex_);
  link(*node);
  return node.release();
}

// One stream after the other: behind the last of them, the memory is the user's again.
void DeviceMemory::free_external(ExternalNode* node) noexcept {
  if (!node->residency.settle()) {
    const StreamUse use = node->residency.first_use();
    use.lane->on_complete(use.ticket, [this, node](const Status& status) {
      if (status.kind() != ErrorKind::kAbandoned) free_external(node);
    });
    return;
  }
  if (node->deleter) {
    sync::assert_no_locks_held("the deleter of external memory");
    node->deleter();
  }
  std::shared_ptr<void> owner;
  {
    sync::MutexLock lock(mutex_);
    owner = unlink(*node);
  }
  delete node;
}

void DeviceMemory::retire(std::shared_ptr<void> owner) noexcept {
  sync::MutexLock lock(mutex_);
  if (counts_.live_blocks != 0) owner_.swap(owner);
}

void DeviceMemory::settle_pending() {
  std::erase_if(pending_, [this](Node* node) HEDDLE_NO_THREAD_SAFETY_ANALYSIS {
    if (!node->residency.settle()) return false;
    counts_.pending -= node->bytes;
    counts_.cached += node->bytes;
    bins_[node->residency.home()->id().value].by_class[node->index].push_back(node);
    return true;
  });
}

void DeviceMemory::collect_completed() {
  for (LaneBins& bins : bins_) {
    for (auto& bin : bins.by_class) {
      std::erase_if(bin, [this](Node* node) HEDDLE_NO_THREAD_SAFETY_ANALYSIS {
        if (node->residency.home()->completed() < node->freed_at) return false;
        counts_.cached -= node->bytes;
        put_back(node);
        return true;
      });
    }
  }
}

void DeviceMemory::put_back(Node* node) {
  spans_.give(static_cast<std::byte*>(node->data), node->bytes);
  delete node;
}

std::size_t DeviceMemory::release_idle() {
  std::vector<SpanMap::Segment> idle;
  {
    sync::MutexLock lock(mutex_);
    idle = spans_.remove_idle_segments();
  }
  std::size_t bytes = 0;
  for (const auto& segment : idle) {
    device_.release_segment(segment.base, segment.bytes);
    bytes += segment.bytes;
  }
  // Only after the device has it back, so that the budget is never exceeded in truth.
  sync::MutexLock lock(mutex_);
  counts_.reserved -= bytes;
  return bytes;
}

std::size_t DeviceMemory::release_cached() {
  {
    sync::MutexLock lock(mutex_);
    settle_pending();
    collect_completed();
  }
  return release_idle();
}

MemoryStatistics DeviceMemory::statistics_locked() const {
  MemoryStatistics result = counts_;
  result.cached += spans_.free_bytes();
  return result;
}

MemoryStatistics DeviceMemory::statistics() const {
  sync::MutexLock lock(mutex_);
  return statistics_locked();
}

std::string DeviceMemory::report() const {
  sync::MutexLock lock(mutex_);
  const MemoryStatistics now = statistics_locked();
  return fmt::format(
      "limit {}, reserved {}, in use {} in {} blocks ({} after rounding), free {} (largest span {}), still used by "
      "other streams {}",
      now.limit, now.reserved, now.live, now.live_blocks, now.rounded, now.cached, spans_.largest_free(), now.pending);
}

}  // namespace HEDDLE_NS
