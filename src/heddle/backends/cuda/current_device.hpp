// CurrentDevice: the calling thread's CUDA device is this one for the life of the object, and then what it was.
//
// The CUDA runtime launches on a stream only where the stream's device is current. Free where it is already, as on most
// machines. Thread safety: an object of one thread's stack.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS::cuda {

class CurrentDevice {
 public:
  explicit CurrentDevice(int device) noexcept {
    if (cudaGetDevice(&before_) != cudaSuccess) before_ = device;
    if (before_ == device) return;
    changed_ = cudaSetDevice(device) == cudaSuccess;
  }
  ~CurrentDevice() {
    if (changed_) cudaSetDevice(before_);
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int before_ = 0;
  bool changed_ = false;
};

}  // namespace HEDDLE_NS::cuda
