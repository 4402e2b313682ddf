// CudaMemoryResource: heddle's device memory as a resource of CCCL's cuda::mr, for code that takes those.
//
//   heddle::CudaMemoryResource resource(runtime);       // a handle: copies share what it handed out
//   void* p = resource.allocate(stream, bytes, 256);    // for use in the order of `stream`, any CUDA stream
//
// Memory comes from the stream of the calling thread and counts against the runtime's limit. Where it is used on
// another CUDA stream, that stream is made to wait for what used the memory before, and what is freed is reused behind
// the stream that freed it: events, never a wait of the host. Needs CCCL's headers and the CUDA runtime, and a runtime
// on a CUDA device that lives as long as the handles are used. Thread safety: all members. Locks: mutex_ of the shared
// state (kLeaf). Errors: InvalidArgument (an alignment above the device's), and as operations do; deallocation waits
// for the stream where it cannot be recorded, and throws nothing.
#pragma once

#include <cuda_runtime_api.h>

#include <cuda/memory_resource>
#include <cuda/stream_ref>
#include <cuda/version>
#include <map>
#include <memory>
#include <utility>

#include "heddle/heddle.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {

class CudaMemoryResource {
 public:
  static constexpr std::size_t kAlignment = 256;

  explicit CudaMemoryResource(Core& core) : shared_(std::make_shared<Shared>(core)) {}

  bool operator==(const CudaMemoryResource& other) const noexcept { return shared_ == other.shared_; }

#if CCCL_VERSION >= 3001000
  void* allocate(::cuda::stream_ref stream, std::size_t bytes, std::size_t alignment = kAlignment) {
    return take(stream.get(), bytes, alignment);
  }
  void deallocate(::cuda::stream_ref stream, void* memory, std::size_t, std::size_t = kAlignment) noexcept {
    give(stream.get(), memory);
  }
  // Usable at once, by anybody.
  void* allocate_sync(std::size_t bytes, std::size_t alignment = kAlignment) { return take_now(bytes, alignment); }
  // REQUIRES: no work uses it any more.
  void deallocate_sync(void* memory, std::size_t, std::size_t = kAlignment) noexcept { remove(memory); }
  using default_queries = ::cuda::mr::properties_list<::cuda::mr::device_accessible>;
#else  // the names before CCCL 3.1
  void* allocate_async(std::size_t bytes, std::size_t alignment, ::cuda::stream_ref stream) {
    return take(stream.get(), bytes, alignment);
  }
  void deallocate_async(void* memory, std::size_t, std::size_t, ::cuda::stream_ref stream) noexcept {
    give(stream.get(), memory);
  }
  void* allocate(std::size_t bytes, std::size_t alignment = kAlignment) { return take_now(bytes, alignment); }
  void deallocate(void* memory, std::size_t, std::size_t = kAlignment) noexcept { remove(memory); }
#endif

  friend constexpr void get_property(const CudaMemoryResource&, ::cuda::mr::device_accessible) noexcept {}

 private:
  struct Shared {
    explicit Shared(Core& its_core) : core(its_core) {}
    Core& core;
    sync::Mutex mutex{Rank::kLeaf};
    std::map<void*, Tensor> live HEDDLE_GUARDED_BY(mutex);
  };
  using Event = std::shared_ptr<CUevent_st>;

  // A point of `stream`; null where CUDA refuses.
  static Event point_of(cudaStream_t stream) noexcept {
    cudaEvent_t event = nullptr;
    if (cudaEventCreateWithFlags(&event, cudaEventDisableTiming) != cudaSuccess) return nullptr;
    Event result(event, [](cudaEvent_t of) { cudaEventDestroy(of); });
    return cudaEventRecord(event, stream) == cudaSuccess ? result : nullptr;
  }

  static cudaStream_t native(Lane& lane) noexcept { return static_cast<cudaStream_t>(lane.queue().native_handle()); }

  void* take(cudaStream_t stream, std::size_t bytes, std::size_t alignment) {
    Recording recording(shared_->core.pool());
    Lane& lane = recording.lane();
    Tensor memory = obtain(lane, bytes, alignment);
    lane.commit();  // what used the memory before is on its stream now
    if (native(lane) != stream) {
      const Event before = point_of(native(lane));
      if (before == nullptr || cudaStreamWaitEvent(stream, before.get(), 0) != cudaSuccess) {
        throw DeviceError("a CUDA stream could not be made to wait for the memory that it asked for");
      }
    }
    return add(std::move(memory));
  }

  void* take_now(std::size_t bytes, std::size_t alignment) {
    Recording recording(shared_->core.pool());
    Tensor memory = obtain(recording.lane(), bytes, alignment);
    recording.lane().synchronize();
    return add(std::move(memory));
  }

  // The memory is used by a command that waits for `stream`, so it is not reused before.
  void give(cudaStream_t stream, void* address) noexcept {
    const Tensor memory = remove(address);
    if (!memory.defined()) return;
    try {
      const Event after = point_of(stream);
      if (after == nullptr) throw DeviceError("no event");
      custom(shared_->core, "wait for a stream", {memory}, {}, [after](const CustomCall& call) {
        cudaStreamWaitEvent(static_cast<cudaStream_t>(call.native_handle), after.get(), 0);
      });
      Recording(shared_->core.pool()).lane().commit();
    } catch (...) {
      cudaStreamSynchronize(stream);
    }
  }

  Tensor obtain(Lane& lane, std::size_t bytes, std::size_t alignment) const {
    if (alignment > kAlignment) {
      throw InvalidArgument("an alignment above 256 was asked for; device memory is aligned to 256 bytes");
    }
    return Tensor::allocate(shared_->core, lane,
                            Shape{static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float))});
  }

  void* add(Tensor memory) {
    void* const address = memory.address();
    sync::MutexLock lock(shared_->mutex);
    shared_->live.insert_or_assign(address, std::move(memory));
    return address;
  }

  Tensor remove(void* address) noexcept {
    if (sync::in_forked_child()) return {};  // where another thread may have held the mutex
    sync::MutexLock lock(shared_->mutex);
    const auto found = shared_->live.find(address);
    if (found == shared_->live.end()) return {};
    Tensor memory = std::move(found->second);
    shared_->live.erase(found);
    return memory;
  }

  std::shared_ptr<Shared> shared_;
};

#if CCCL_VERSION >= 3001000
static_assert(::cuda::mr::resource_with<CudaMemoryResource, ::cuda::mr::device_accessible>);
#elif defined(LIBCUDACXX_ENABLE_EXPERIMENTAL_MEMORY_RESOURCE)
static_assert(::cuda::mr::async_resource_with<CudaMemoryResource, ::cuda::mr::device_accessible>);
#endif

}  // namespace HEDDLE_NS
