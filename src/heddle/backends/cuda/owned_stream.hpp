// OwnedStream: a CUDA stream that takes part in no order but its own (non-blocking), destroyed with its owner.
//
// Thread safety: none; what is put on a stream may come from any thread.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

struct DestroyStream {
  int device = 0;
  void operator()(cudaStream_t stream) const noexcept;
};
using OwnedStream = std::unique_ptr<CUstream_st, DestroyStream>;

// The device is current.
Status make_stream(int device, OwnedStream* out);

}  // namespace HEDDLE_NS::cuda
