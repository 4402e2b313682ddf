// Device memory for code that allocates through pointers: std::pmr and stream-ordered resources.
//
// Handles (Buffer) are the fast way; here each pointer is looked up in a table to find its block again.
// Thread safety: all members. Locks: one mutex a shard (kLeaf), not held while memory is allocated or freed.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <unordered_map>

#include "heddle/base/namespace.hpp"
#include "heddle/memory/buffer.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

// What a resource whose allocations are ordered by a stream offers: the shape of cuda::mr::resource (CCCL 3.2 and
// later), with the stream first. For CUDA, Stream is cuda::stream_ref; checked there against CCCL's own concept.
template <class Resource, class Stream>
concept StreamOrderedResource =
    std::equality_comparable<Resource> && requires(Resource resource, Stream stream, void* pointer, std::size_t bytes) {
      { resource.allocate(stream, bytes, bytes) } -> std::same_as<void*>;
      { resource.deallocate(stream, pointer, bytes, bytes) };
      { resource.allocate_sync(bytes, bytes) } -> std::same_as<void*>;
      { resource.deallocate_sync(pointer, bytes, bytes) };
    };

// The blocks that were handed out as pointers.
class PointerTable {
 public:
  void add(Buffer buffer);
  // The block that begins there, no longer in the table. Throws InvalidArgument, naming `call`: the pointer did not
  // come from here, or was given back already.
  Buffer remove(void* pointer, const char* call);

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    sync::Mutex mutex{Rank::kLeaf};
    std::unordered_map<void*, Buffer> buffers HEDDLE_GUARDED_BY(mutex);
  };
  Shard& shard_of(void* pointer) noexcept;
  std::array<Shard, kShards> shards_;
};

// std::pmr over the memory of a device that the host can reach: containers on the calling thread's stream. Whoever
// gives memory back, on whatever thread, has no command pending that uses it. Outlived by `pool` and `memory`.
// allocate(): OutOfMemory; InvalidArgument for alignments above 256. deallocate(): InvalidArgument, foreign pointers.
class MemoryResource final : public std::pmr::memory_resource {
 public:
  MemoryResource(std::shared_ptr<LanePool> pool, DeviceMemory& memory) : pool_(std::move(pool)), memory_(memory) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* pointer, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  const std::shared_ptr<LanePool> pool_;
  DeviceMemory& memory_;
  PointerTable table_;
};

// A copyable handle of a resource in the shape of StreamOrderedResource. Which stream a call means is the caller's
// lease: `stream` is passed through for interfaces that want one, and the thread must record on it (Lease).
template <class Stream>
class StreamResource {
 public:
  StreamResource(std::shared_ptr<LanePool> pool, DeviceMemory& memory)
      : state_(std::make_shared<State>(std::move(pool), memory)) {}

  void* allocate(Stream, std::size_t bytes, std::size_t alignment) {
    return state_->resource.allocate(bytes, alignment);
  }
  void deallocate(Stream, void* pointer, std::size_t bytes, std::size_t alignment) {
    state_->resource.deallocate(pointer, bytes, alignment);
  }
  void* allocate_sync(std::size_t bytes, std::size_t alignment) { return state_->resource.allocate(bytes, alignment); }
  void deallocate_sync(void* pointer, std::size_t bytes, std::size_t alignment) {
    state_->resource.deallocate(pointer, bytes, alignment);
  }
  friend bool operator==(const StreamResource& a, const StreamResource& b) noexcept { return a.state_ == b.state_; }

 private:
  struct State {
    State(std::shared_ptr<LanePool> pool, DeviceMemory& memory) : resource(std::move(pool), memory) {}
    MemoryResource resource;
  };
  std::shared_ptr<State> state_;
};

static_assert(StreamOrderedResource<StreamResource<void*>, void*>);

}  // namespace HEDDLE_NS
