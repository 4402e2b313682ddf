#include "heddle/backends/cuda/pinned.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/unseen_by_captures.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS::cuda {

PinnedMemory::~PinnedMemory() {
  if (sync::in_forked_child()) return;
  const CurrentDevice current(device_);
  for (std::size_t i = 0; i < slab_count_.load(sync::acquire); ++i) release(cudaFreeHost(slabs_[i].base));
}

std::size_t PinnedMemory::class_of(std::size_t bytes) noexcept {
  const std::size_t units = (std::max(bytes, kSmallest) + kSmallest - 1) / kSmallest;
  return static_cast<std::size_t>(std::bit_width(units - 1));
}

Status PinnedMemory::allocate(std::size_t bytes, std::shared_ptr<std::byte>* out) {
  const std::size_t index = class_of(bytes);
  if (index >= kClasses) {
    return {ErrorKind::kOutOfMemory,
            fmt::format("{} bytes of pinned host memory are more than any machine has", bytes)};
  }
  while (true) {
    const std::size_t slabs = slab_count_.load(sync::acquire);
    std::byte* block = nullptr;
    {
      sync::MutexLock lock(mutex_);
      block = take(index);
    }
    if (block != nullptr) {
      *out = {block, [self = shared_from_this(), index](std::byte* memory) { self->give_back(memory, index); }};
      return {};
    }
    if (Status status = grow(class_bytes(index), slabs); !status.ok()) return status;
  }
}

bool PinnedMemory::contains(const void* address, std::size_t bytes) const noexcept {
  const auto* const first = static_cast<const std::byte*>(address);
  const std::size_t count = slab_count_.load(sync::acquire);
  for (std::size_t i = 0; i < count; ++i) {
    const Slab& slab = slabs_[i];
    if (first >= slab.base && first < slab.base + slab.bytes) {
      return bytes <= static_cast<std::size_t>(slab.base + slab.bytes - first);
    }
  }
  return false;
}

std::size_t PinnedMemory::reserved_bytes() const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < slab_count_.load(sync::acquire); ++i) bytes += slabs_[i].bytes;
  return bytes;
}

std::byte* PinnedMemory::take(std::size_t index) {
  FreeBlocks& free = free_[index];
  if (std::byte* const block = free.take(); block != nullptr) return block;
  const std::size_t count = slab_count_.load(sync::relaxed);
  if (count == 0) return nullptr;
  const Slab& newest = slabs_[count - 1];
  if (newest.bytes - used_ < class_bytes(index)) return nullptr;
  free.count_block();
  std::byte* const block = newest.base + used_;
  used_ += class_bytes(index);
  return block;
}

// Cuts the rest of the newest slab into blocks, the largest ones that fit.
void PinnedMemory::cut_rest() {
  const std::size_t count = slab_count_.load(sync::relaxed);
  if (count == 0) return;
  const Slab& newest = slabs_[count - 1];
  while (newest.bytes - used_ >= kSmallest) {
    const auto index = static_cast<std::size_t>(std::bit_width((newest.bytes - used_) / kSmallest)) - 1;
    free_[index].count_block();
    free_[index].give(newest.base + used_);
    used_ += class_bytes(index);
  }
}

// `seen`: the number of slabs when no block was found; if there are more now, the caller searches again.
Status PinnedMemory::grow(std::size_t bytes, std::size_t seen) {
  sync::MutexLock growing(growing_);
  const std::size_t count = slab_count_.load(sync::relaxed);
  if (count != seen) return {};
  if (count == kMostSlabs) return {ErrorKind::kOutOfMemory, "pinned host memory: the table of slabs is full"};
  const std::size_t wanted = std::max({kFirstSlab, reserved_bytes(), bytes});
  {
    sync::MutexLock lock(mutex_);
    cut_rest();
  }
  const UnseenByCaptures unseen(device_);
  void* memory = nullptr;
  const auto obtain = [&](std::size_t size) {
    return call("cudaHostAlloc",
                [&] { return cudaHostAlloc(&memory, size, cudaHostAllocPortable | cudaHostAllocMapped); });
  };
  std::size_t obtained = wanted;
  Status status = obtain(wanted);
  if (!status.ok() && bytes < wanted) {
    obtained = bytes;
    status = obtain(bytes);
  }
  if (!status.ok()) return status;
  sync::MutexLock lock(mutex_);
  slabs_[count] = {static_cast<std::byte*>(memory), obtained};
  used_ = 0;
  slab_count_.store(count + 1, sync::release);
  return {};
}

void PinnedMemory::give_back(std::byte* block, std::size_t index) noexcept {
  if (sync::in_forked_child()) return;
  sync::MutexLock lock(mutex_);
  free_[index].give(block);
}

}  // namespace HEDDLE_NS::cuda
