// CurrentDevice: the calling thread's CUDA device is this one for the life of the object, and then what it was.
//
// The CUDA runtime launches on a stream only where the stream's device is current. Free where it is already, as on most
// machines. Else the device's primary context is pushed, and popped at the end: choosing the device and then the one
// before would make a context on that one, hundreds of megabytes on a GPU that the program may not use at all.
// A thread that has made a context of its own current, not the device's primary one, must not call heddle meanwhile.
// Thread safety: an object of one thread's stack.
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

  // Ok where the device is current: it may not be when its context was to be made now. Asked when a device is opened;
  // from then on the context is there.
  Status status() const noexcept;

  // Within such an object, behind a user's function, which may have chosen another device.
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
