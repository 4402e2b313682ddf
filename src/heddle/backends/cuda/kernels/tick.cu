// The end of a list, and the device's small clocks: generators and time.
#include <cuda/atomic>

#include "heddle/backends/cuda/kernels/launch.cuh"

namespace HEDDLE_NS::cuda {

namespace {

constexpr unsigned kCopyThreads = 128;

// What the list wrote is visible to the device when its kernels have ended, and what this block copied behind the
// barrier; the release makes it so for the host, which reads the word with acquire order.
__global__ void tick(const __grid_constant__ TickArgs args) {
  if (args.copy.out != nullptr) {
    const auto* const in = static_cast<const std::uint32_t*>(args.copy.in);
    auto* const out = static_cast<std::uint32_t*>(args.copy.out);
    for (unsigned i = threadIdx.x; i < args.copy.bytes / 4; i += kCopyThreads) out[i] = in[i];
    __syncthreads();
    if (threadIdx.x != 0) return;
  }
  if (args.advance.state != nullptr) args.advance.state->block += args.advance.blocks;
  const std::uint64_t completed = args.record->completed + args.commands;
  args.record->completed = completed;
  ::cuda::atomic_ref<std::uint64_t, ::cuda::thread_scope_system>(*args.word)
      .store(completed, ::cuda::memory_order_release);
}

__global__ void advance(AdvanceArgs args) { args.state->block += args.blocks; }

__global__ void timestamp(TimestampArgs args) {
  std::uint64_t nanoseconds;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  *args.out = nanoseconds;
}

}  // namespace

bool fits_tick(const CopyBytesArgs& args) noexcept {
  return args.bytes <= kTickCopyMost && args.bytes % 4 == 0 && is_aligned(args.in, 4) && is_aligned(args.out, 4);
}

cudaError_t launch_tick(const TickArgs& args, cudaStream_t stream) {
  return launch(tick, 1, args.copy.out != nullptr ? kCopyThreads : 1, stream, args);
}

cudaError_t launch_advance(const AdvanceArgs& args, cudaStream_t stream) { return launch(advance, 1, 1, stream, args); }

cudaError_t launch_timestamp(const TimestampArgs& args, cudaStream_t stream) {
  return launch(timestamp, 1, 1, stream, args);
}

cudaError_t preload_tick() { return preload_all(tick, advance, timestamp); }

}  // namespace HEDDLE_NS::cuda
