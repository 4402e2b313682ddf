// How each command becomes work on a stream.
//
// Thread safety: free functions; a context belongs to the thread that holds its queue's lease.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/backends/cuda/cublaslt/matmul.hpp"
#include "heddle/backends/cuda/pinned.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/command_list.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

struct EncodeContext {
  int device;  // of the stream
  cudaStream_t stream;
  Matmul& matmul;
  const PinnedMemory& pinned;
  const CommandList& list;  // that the commands are in
};

// Puts one command on the stream and returns at once. The device is current. kUnsupported for what has no kernel.
Status encode(const CommandView& command, const EncodeContext& context);

bool has_kernel(KernelId kernel, Dtype dtype) noexcept;

}  // namespace HEDDLE_NS::cuda
