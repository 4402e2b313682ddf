// Reader: copies device memory to the host, now, beside all other work.
//
// The default stream would do it with less: but it waits for every stream of the program that is not ours and orders
// itself with it, libtorch's work among them, and using it spoils a capture that runs meanwhile. So each reading thread
// takes a stream that no other reads on, made at first need and kept: as many as threads ever read at once.
// Thread safety: all members. Locks: mutex_ (kLeaf), not held while a copy is waited for.
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
