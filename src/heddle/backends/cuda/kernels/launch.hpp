// The kernels of this backend, as functions that launch them on a stream; plain C++ can call them.
//
// Each launches at most what its comment says and returns at once. Nothing here allocates or waits. A tensor of 2^31
// blocks or more of work is refused by the driver with an error. Thread safety: all functions, from any thread.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "heddle/base/namespace.hpp"
#include "heddle/device/command_list.hpp"
#include "heddle/device/dtype.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/device/kernel_id.hpp"

namespace HEDDLE_NS::cuda {

// The part of a lane that lives in device memory.
struct LaneRecord {
  std::uint64_t completed;  // the ticket of the last list that ended
};

// Ends a list: does what its last commands ask for where that is little (a copy of at most kTickCopyMost bytes, which
// is a multiple of 4 and so aligned; a generator's advance; null: none), moves the lane's ticket forward, and writes it
// to `word`, which the host reads, with release order for the whole system. Relative, so that an equal list ends
// equally.
inline constexpr std::uint64_t kTickCopyMost = 4096;
struct TickArgs {
  LaneRecord* record;
  std::uint64_t* word;
  std::uint64_t commands;
  AdvanceArgs advance;
  CopyBytesArgs copy;
};

bool fits_tick(const CopyBytesArgs& args) noexcept;
cudaError_t launch_tick(const TickArgs& args, cudaStream_t stream);
cudaError_t launch_advance(const AdvanceArgs& args, cudaStream_t stream);
cudaError_t launch_timestamp(const TimestampArgs& args, cudaStream_t stream);

cudaError_t launch_randn(const RandomArgs& args, cudaStream_t stream);
cudaError_t launch_uniform(const RandomArgs& args, cudaStream_t stream);

cudaError_t launch_fill(const FillArgs& args, cudaStream_t stream);  // 32-bit elements
// Both sides must be memory that the device can reach.
cudaError_t launch_copy_bytes(const CopyBytesArgs& args, cudaStream_t stream);
cudaError_t launch_stack(const StackArgs& args, cudaStream_t stream);

// kCopy and the rows of device/maps-inl.h.
cudaError_t launch_elementwise(const CommandHeader& command, const ElementwiseArgs& args, cudaStream_t stream);
cudaError_t launch_cast(const CommandHeader& command, const ElementwiseArgs& args, cudaStream_t stream);

// kSum, kMean: one kernel, or two where reduce_workspace_bytes() is not 0.
cudaError_t launch_reduce(const CommandHeader& command, const ReduceArgs& args, cudaStream_t stream);
std::size_t reduce_workspace_bytes(const ReduceArgs& args) noexcept;

// A plain tiled product, accumulated in float32, for what the library refuses.
cudaError_t launch_matmul(const MatmulArgs& args, Dtype dtype, cudaStream_t stream);
// The same for shapes up to kSmallMatmul each way in float32, where the library's way to its launch costs more than its
// kernel saves.
inline constexpr std::int64_t kSmallMatmul = 128;
bool is_small_matmul(const MatmulArgs& args, Dtype dtype) noexcept;
cudaError_t launch_matmul_small(const MatmulArgs& args, cudaStream_t stream);

// Loads every kernel onto the current device, so that no first launch stalls it.
cudaError_t preload_kernels();

}  // namespace HEDDLE_NS::cuda
