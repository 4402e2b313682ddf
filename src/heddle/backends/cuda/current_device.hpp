// CurrentDevice: makes a device the calling thread's CUDA device for a scope, and restores the previous one.
//
// The CUDA runtime launches on a stream only if the stream's device is current. Usually it is already, which costs
// nothing. Otherwise the device's primary context is pushed, and popped at the end of the scope. Switching with
// cudaSetDevice instead would create a context on the previous device when switching back: hundreds of megabytes on a
// GPU that the program may never use. A thread whose current context is one of its own, not the device's primary one,
// must not call heddle.
// Thread safety: an object on one thread's stack.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

class CurrentDevice {
 public:
  explicit CurrentDevice(int device) noexcept : device_(device) {
    int before = device;
    if (cudaGetDevice(&before) != cudaSuccess || before == device) [[likely]]
      return;
    pushed_ = push(device);
  }
  ~CurrentDevice() {
    if (pushed_) pop();
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

  // Ok if the device is current. It may not be, if its context had to be created now. Checked when a device opens; the
  // context exists from then on.
  Status status() const noexcept;

  // Within such a scope, after a user's function, which may have chosen another device.
  static void renew(int device) noexcept {
    int now = device;
    if (cudaGetDevice(&now) == cudaSuccess && now != device) cudaSetDevice(device);
  }

 private:
  static bool push(int device) noexcept;
  static void pop() noexcept;

  const int device_;
  bool pushed_ = false;
};

}  // namespace HEDDLE_NS::cuda
