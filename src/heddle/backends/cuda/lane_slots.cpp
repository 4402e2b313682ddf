#include "heddle/backends/cuda/lane_slots.hpp"

#include <cuda_runtime_api.h>

#include <new>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"

namespace HEDDLE_NS::cuda {

static_assert(sizeof(sync::Atomic<std::uint64_t>) == sizeof(std::uint64_t), "the device writes the word as it is");

LaneSlots::~LaneSlots() {
  const CurrentDevice current(device_);
  if (records_ != nullptr) release(cudaFree(records_));
}

Status LaneSlots::open(PinnedMemory& pinned) {
  Status status = pinned.allocate(kMostLanes * kLine, &words_);
  if (!status.ok()) return status;
  void* memory = nullptr;
  status = call("cudaMalloc", [&] { return cudaMalloc(&memory, kMostLanes * sizeof(LaneRecord)); });
  if (!status.ok()) return status;
  records_ = static_cast<LaneRecord*>(memory);
  sync::MutexLock lock(mutex_);
  free_.reserve(kMostLanes);
  for (std::size_t i = kMostLanes; i-- > 0;) free_.push_back(i);
  return {};
}

Status LaneSlots::take(cudaStream_t stream, LaneSlot* out) {
  LaneSlot slot;
  {
    sync::MutexLock lock(mutex_);
    if (free_.empty()) return {ErrorKind::kDeviceError, "the cuda device has no room for another stream"};
    slot.index_ = free_.back();
    free_.pop_back();
  }
  slot.owner_ = this;
  slot.record_ = records_ + slot.index_;
  slot.word_ = new (words_.get() + slot.index_ * kLine) sync::Atomic<std::uint64_t>(0);
  Status status = call("cudaMemsetAsync", [&] { return cudaMemsetAsync(slot.record_, 0, sizeof(LaneRecord), stream); });
  // Waits here, so that a slot whose queue is never created goes back with no pending work.
  if (status.ok()) status = call("cudaStreamSynchronize", [&] { return cudaStreamSynchronize(stream); });
  if (status.ok()) *out = std::move(slot);
  return status;
}

void LaneSlots::give(std::size_t index) noexcept {
  sync::MutexLock lock(mutex_);
  free_.push_back(index);
}

LaneSlot::~LaneSlot() {
  if (owner_ != nullptr) owner_->give(index_);
}

LaneSlot& LaneSlot::operator=(LaneSlot&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(index_, other.index_);
  std::swap(record_, other.record_);
  std::swap(word_, other.word_);
  return *this;
}

}  // namespace HEDDLE_NS::cuda
