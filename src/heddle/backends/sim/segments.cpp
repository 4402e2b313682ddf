#include "heddle/backends/sim/segments.hpp"

#include <fmt/format.h>

#include <new>

#include "heddle/sync/fault_point.hpp"

namespace HEDDLE_NS::sim {

namespace {
constexpr std::align_val_t kPage{4096};
}

MemoryInfo Segments::info() const {
  sync::MutexLock lock(mutex_);
  return {total_bytes_ - used_bytes_, total_bytes_};
}

Status Segments::allocate(std::size_t bytes, void** out) {
  *out = nullptr;
  {
    sync::MutexLock lock(mutex_);
    const std::uint64_t number = ++allocations_;
    if (failing_ != 0 && (number == failing_ || (failing_forever_ && number > failing_))) {
      return {ErrorKind::kOutOfMemory, fmt::format("the simulated device refused {} bytes: scripted failure", bytes)};
    }
    if (sync::allocation_fails()) {
      return {ErrorKind::kOutOfMemory, fmt::format("the simulated device refused {} bytes: a choice", bytes)};
    }
    if (bytes > total_bytes_ - used_bytes_) {
      return {ErrorKind::kOutOfMemory, fmt::format("the simulated device refused {} bytes: {} of {} bytes are in use",
                                                   bytes, used_bytes_, total_bytes_)};
    }
    used_bytes_ += bytes;
  }
  try {
    *out = ::operator new(bytes, kPage);
  } catch (...) {
    sync::MutexLock lock(mutex_);
    used_bytes_ -= bytes;
    throw;
  }
  return {};
}

void Segments::release(void* segment, std::size_t bytes) noexcept {
  ::operator delete(segment, kPage);
  sync::MutexLock lock(mutex_);
  used_bytes_ -= bytes;
}

void Segments::fail(std::uint64_t nth, bool forever) {
  sync::MutexLock lock(mutex_);
  failing_ = allocations_ + nth;
  failing_forever_ = forever;
}

}  // namespace HEDDLE_NS::sim
