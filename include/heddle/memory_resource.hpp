// Device memory for code that allocates through pointers: std::pmr and stream-ordered resources.
//
// Handles (Tensor) are the fast way; here each pointer is looked up in a table to find its block again.
// Thread safety: all members. Locks: one mutex a shard (kLeaf), not held while memory is allocated or freed.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

class Core;
class DeviceMemory;
class LanePool;

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

// std::pmr over the memory of a device that the host can reach: containers on the calling thread's stream. Whoever
// gives memory back, on whatever thread, has no command pending that uses it. Outlived by the runtime.
// allocate(): OutOfMemory; InvalidArgument for alignments above 256. deallocate(): InvalidArgument, foreign pointers.
class HEDDLE_API MemoryResource final : public std::pmr::memory_resource {
 public:
  explicit MemoryResource(Core& core);
  ~MemoryResource() override;

 private:
  friend struct MemoryResourceAccess;
  struct State;
  MemoryResource(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory);

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* pointer, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  const std::unique_ptr<State> state_;
};

// A copyable handle of a resource in the shape of StreamOrderedResource. Which stream a call means is the caller's
// lease: `stream` is passed through for interfaces that want one, and the thread must record on it (Lease).
template <class Stream>
class StreamResource {
 public:
  explicit StreamResource(Core& core) : resource_(std::make_shared<MemoryResource>(core)) {}

  void* allocate(Stream, std::size_t bytes, std::size_t alignment) { return resource_->allocate(bytes, alignment); }
  void deallocate(Stream, void* pointer, std::size_t bytes, std::size_t alignment) {
    resource_->deallocate(pointer, bytes, alignment);
  }
  void* allocate_sync(std::size_t bytes, std::size_t alignment) { return resource_->allocate(bytes, alignment); }
  void deallocate_sync(void* pointer, std::size_t bytes, std::size_t alignment) {
    resource_->deallocate(pointer, bytes, alignment);
  }
  friend bool operator==(const StreamResource& a, const StreamResource& b) noexcept {
    return a.resource_ == b.resource_;
  }

 private:
  std::shared_ptr<MemoryResource> resource_;
};

static_assert(StreamOrderedResource<StreamResource<void*>, void*>);

}  // namespace HEDDLE_NS
