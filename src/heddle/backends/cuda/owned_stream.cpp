#include "heddle/backends/cuda/owned_stream.hpp"

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"

namespace HEDDLE_NS::cuda {

void DestroyStream::operator()(cudaStream_t stream) const noexcept {
  const CurrentDevice current(device);
  release(cudaStreamDestroy(stream));
}

Status make_stream(int device, OwnedStream* out) {
  cudaStream_t stream = nullptr;
  Status status =
      call("cudaStreamCreateWithFlags", [&] { return cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking); });
  if (status.ok()) *out = OwnedStream(stream, DestroyStream{device});
  return status;
}

}  // namespace HEDDLE_NS::cuda
