#include "heddle/backends/cuda/lane_slots.hpp"

#include <cuda_runtime_api.h>

#include <new>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"

namespace HEDDLE_NS::cuda {

static_assert(sizeof(sync::Atomic<std::uint64_t>) == sizeof(std::uint64_t), "the device writes the word as it is");

LaneSlots::~LaneSlots() {
  const CurrentDevice current(device_);
  if (records_ != nullptr) cudaFree(records_);
}

Status LaneSlots::open(PinnedMemory& pinned) {
  Status status = pinned.allocate(kMostLanes * kLine, &words_);
  if (!status.ok()) return status;
  void* memory = nullptr;
  status = call("cudaMalloc", [&] { return cudaMalloc(&memory, kMostLanes * sizeof(LaneRecord)); });
  if (!status.ok()) return status;
  records_ = static_cast<LaneRecord*>(memory);
  sync::MutexLock lock(mutex_);
  for (std::size_t i = kMostLanes; i-- > 0;) free_.push_back(i);
  return {};
}

Status LaneSlots::take(cudaStream_t stream, LaneSlot* out) {
  LaneSlot slot;
  {
    sync::MutexLock lock(mutex_);
    if (free_.empty()) return {ErrorKind::kDeviceError, "the cuda device has no room for another stream"};
    slot.index = free_.back();
    free_.pop_back();
  }
  slot.record = records_ + slot.index;
  slot.word = new (words_.get() + slot.index * kLine) sync::Atomic<std::uint64_t>(0);
  const Status status =
      call("cudaMemsetAsync", [&] { return cudaMemsetAsync(slot.record, 0, sizeof(LaneRecord), stream); });
  if (!status.ok()) {
    give(slot);
    return status;
  }
  *out = slot;
  return {};
}

void LaneSlots::give(const LaneSlot& slot) noexcept {
  sync::MutexLock lock(mutex_);
  free_.push_back(slot.index);
}

}  // namespace HEDDLE_NS::cuda
