// What tests of the allocator share: a memory of its own over a page source that a test can look into.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "heddle/memory/buffer.hpp"
#include "heddle/memory/device_memory.hpp"
#include "stream/sim_core.hpp"

namespace heddle {

// Hands out addresses without memory behind them, and checks that what it gets back is what it gave.
class FakePages final : public PageSource {
 public:
  // `gap`: bytes between two segments, which else touch, as on the CPU device, and join.
  explicit FakePages(std::size_t gap = 0) : gap_(gap) {}
  std::size_t granule() const noexcept override { return 4096; }
  Status allocate(std::size_t bytes, void** out) override {
    sync::MutexLock lock(mutex_);
    *out = std::bit_cast<void*>(next_);
    segments_[next_] = bytes;
    next_ += bytes + gap_;
    held_ += bytes;
    peak_ = std::max(peak_, held_);
    return {};
  }
  void release(void* segment, std::size_t bytes) noexcept override {
    sync::MutexLock lock(mutex_);
    const auto found = segments_.find(std::bit_cast<std::uintptr_t>(segment));
    HEDDLE_CHECK(found != segments_.end() && found->second == bytes, "a segment came back that was not given");
    segments_.erase(found);
    held_ -= bytes;
  }
  std::size_t held() const {
    sync::MutexLock lock(mutex_);
    return held_;
  }
  std::size_t peak() const {
    sync::MutexLock lock(mutex_);
    return peak_;
  }

 private:
  const std::size_t gap_;
  mutable sync::Mutex mutex_{Rank::kLeaf};
  std::uintptr_t next_ = std::uintptr_t{1} << 40;
  std::map<std::uintptr_t, std::size_t> segments_;
  std::size_t held_ = 0, peak_ = 0;
};

// A memory over fake pages for the streams of a simulated device.
class TestMemory {
 public:
  explicit TestMemory(MemoryOptions options = {.limit = std::size_t{1} << 30}, PageSource* pages = nullptr)
      : memory_(std::make_unique<DeviceMemory>(pages != nullptr ? *pages : pages_, *sim_.pool(), options)) {}

  // A deleter of external memory has been called a moment before its block is counted as freed.
  ~TestMemory() {
    if (memory_ != nullptr) eventually([&] { return memory_->statistics().live_blocks == 0; });
  }
  TestMemory(const TestMemory&) = delete;
  TestMemory& operator=(const TestMemory&) = delete;

  SimCore& sim() { return sim_; }
  FakePages& pages() { return pages_; }
  DeviceMemory& memory() { return *memory_; }
  MemoryStatistics statistics() { return memory_->statistics(); }
  // On the calling thread's stream.
  Buffer make(std::size_t bytes) { return Buffer::create(sim_.pool(), *memory_, bytes); }
  // Records a command that the calling thread's stream has not done yet.
  void work() {
    Recording recording(sim_.pool());
    recording.lane().append(KernelId::kFill, FillArgs{nullptr, 0, 0});
  }
  // The calling thread's stream uses the buffer: the next command does.
  void use(const Buffer& buffer) {
    Recording recording(sim_.pool());
    const OperandMemory read = operand_of(buffer);
    recording.lane().record(Command<FillArgs>(KernelId::kFill, {nullptr, 0, 0}), Kept(), {&read, 1}, {});
  }
  void commit() { sim_.commit(); }
  void run_all() { sim_.run_all(); }
  void destroy() { memory_.reset(); }

 private:
  SimCore sim_;
  FakePages pages_;
  std::unique_ptr<DeviceMemory> memory_;
};

// Runs `body` on a thread of its own and waits.
inline void elsewhere(const std::function<void()>& body) { std::thread(body).join(); }

}  // namespace heddle
