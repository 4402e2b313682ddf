// Reader: copies device memory to the host immediately, independent of all other work.
//
// The default stream would be simpler, but it synchronizes with every blocking stream of the program, including
// libtorch's, and using it invalidates a capture in progress. So each reading thread takes a stream for itself. Streams
// are created at first need and kept: as many as threads ever read simultaneously.
// Thread safety: all members. Locks: mutex_ (kLeaf), not held during the wait for a copy.
#pragma once

#include <cstddef>
#include <vector>

#include "heddle/backends/cuda/owned_stream.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

class Reader {
 public:
  explicit Reader(int device) noexcept : device_(device) {}

  // REQUIRES: no unfinished work writes [from, from + bytes).
  Status read(void* out, const void* from, std::size_t bytes);

 private:
  Status take(OwnedStream* out);

  const int device_;
  sync::Mutex mutex_{Rank::kLeaf};
  std::vector<OwnedStream> idle_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cuda
