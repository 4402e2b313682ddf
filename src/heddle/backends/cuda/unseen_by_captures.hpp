// UnseenByCaptures: while it lives, what the calling thread asks of CUDA neither fails because some thread of the
// program captures a stream, nor spoils that capture.
//
// In the usual mode of a capture CUDA refuses, to every thread, calls that could disturb one: allocations, queries and
// waits. Ours concern no captured stream. The device is current meanwhile, as saying so to CUDA would else make a
// context on the thread's own. Thread safety: an object of one thread's stack.
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
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;  // then the thread's own
};

}  // namespace HEDDLE_NS::cuda
