// OwnedStream: a CUDA stream without implicit order against others (non-blocking), destroyed with its owner.
//
// Thread safety: none; work may be put on the stream from any thread.
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

// REQUIRES: the device is current.
Status make_stream(int device, OwnedStream* out);

}  // namespace HEDDLE_NS::cuda
