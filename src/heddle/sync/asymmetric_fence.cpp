#include "heddle/sync/asymmetric_fence.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace HEDDLE_NS::sync {

namespace detail {
std::atomic<FenceMode> fence_mode{FenceMode::kUnknown};

void full_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }
}  // namespace detail

namespace {

long membarrier(int command) noexcept { return syscall(__NR_membarrier, command, 0, 0); }

FenceMode probe() noexcept {
  if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) return FenceMode::kFull;
  return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0 ? FenceMode::kMembarrier : FenceMode::kFull;
}

}  // namespace

FenceMode asymmetric_fence_mode() noexcept {
  // Threads that race here store the same answer. A fast path that still sees kUnknown uses a full fence, which is
  // right with either heavy side.
  FenceMode mode = detail::fence_mode.load(std::memory_order_acquire);
  if (mode == FenceMode::kUnknown) {
    mode = probe();
    detail::fence_mode.store(mode, std::memory_order_release);
  }
  return mode;
}

void asymmetric_fence_heavy() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (asymmetric_fence_mode() == FenceMode::kMembarrier) membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

}  // namespace HEDDLE_NS::sync
