#include "heddle/backends/cuda/reader.hpp"

#include <new>
#include <utility>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/unseen_by_captures.hpp"

namespace HEDDLE_NS::cuda {

Status Reader::take(OwnedStream* out) {
  {
    sync::MutexLock lock(mutex_);
    if (!idle_.empty()) {
      *out = std::move(idle_.back());
      idle_.pop_back();
      return {};
    }
  }
  return make_stream(device_, out);
}

Status Reader::read(void* out, const void* from, std::size_t bytes) {
  const UnseenByCaptures unseen(device_);
  OwnedStream stream;
  Status status = take(&stream);
  if (!status.ok()) return status;
  status = call("cudaMemcpyAsync", [&] { return cudaMemcpyAsync(out, from, bytes, cudaMemcpyDefault, stream.get()); });
  if (status.ok()) status = call("cudaStreamSynchronize", [&] { return cudaStreamSynchronize(stream.get()); });
  sync::MutexLock lock(mutex_);
  try {
    idle_.push_back(std::move(stream));
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): what was read counts
    // The stream is destroyed, and the next reader creates one.
  }
  return status;
}

}  // namespace HEDDLE_NS::cuda
