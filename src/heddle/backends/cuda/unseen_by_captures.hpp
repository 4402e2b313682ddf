// UnseenByCaptures: while one lives, the calling thread's CUDA calls neither fail because some thread of the program
// captures a stream, nor invalidate that capture.
//
// In the default capture mode, CUDA refuses calls that could disturb a capture (allocations, queries, waits) on every
// thread. Ours concern no captured stream. The device is made current first, because switching the mode would otherwise
// create a context on the thread's own device. Thread safety: an object on one thread's stack.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cuda {

class UnseenByCaptures {
 public:
  explicit UnseenByCaptures(int device) noexcept : current_(device) { cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~UnseenByCaptures() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  UnseenByCaptures(const UnseenByCaptures&) = delete;
  UnseenByCaptures& operator=(const UnseenByCaptures&) = delete;

 private:
  const CurrentDevice current_;
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;  // the thread's own mode, once exchanged
};

}  // namespace HEDDLE_NS::cuda
