// UnseenByCaptures: while it lives, what the calling thread asks of CUDA neither fails because some thread of the
// program captures a stream, nor spoils that capture.
//
// In the usual mode of a capture CUDA refuses, to every thread, calls that could disturb one: allocations, queries and
// waits. Ours concern no captured stream. Thread safety: an object of one thread's stack.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS::cuda {

class UnseenByCaptures {
 public:
  UnseenByCaptures() noexcept { cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~UnseenByCaptures() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  UnseenByCaptures(const UnseenByCaptures&) = delete;
  UnseenByCaptures& operator=(const UnseenByCaptures&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;  // then the thread's own
};

}  // namespace HEDDLE_NS::cuda
