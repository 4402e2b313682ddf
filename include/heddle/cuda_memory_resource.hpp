// CudaMemoryResource: heddle's device memory as a resource of CCCL's cuda::mr, for code that takes those.
//
//   heddle::CudaMemoryResource resource(runtime);       // a handle: copies share what it handed out
//   void* p = resource.allocate(stream, bytes, 256);    // for use in the order of `stream`, any CUDA stream
//
// Memory comes from the stream of the calling thread and counts against the runtime's limit. Where it is used on
// another CUDA stream, that stream is made to wait for what used the memory before, and what is freed is reused behind
// the stream that freed it: events, never a wait of the host. Needs CCCL's headers and the CUDA runtime, and a runtime
// on a CUDA device that lives as long as the handles are used. Thread safety: all members. Errors: InvalidArgument (an
// alignment above the device's), and as operations do; deallocation waits for the stream where it cannot be recorded,
// and throws nothing.
#pragma once

#include <cuda_runtime_api.h>

#include <cuda/memory_resource>
#include <cuda/stream_ref>
#include <cuda/version>
#include <memory>
#include <utility>

#include "heddle/custom.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/detail/tensor_table.hpp"
#include "heddle/error.hpp"
#include "heddle/runtime.hpp"
#include "heddle/stream.hpp"
#include "heddle/tensor.hpp"

namespace HEDDLE_NS {

class CudaMemoryResource {
 public:
  static constexpr std::size_t kAlignment = 256;

  explicit CudaMemoryResource(Runtime& runtime) : shared_(std::make_shared<Shared>(runtime)) {}

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
  void deallocate_sync(void* memory, std::size_t, std::size_t = kAlignment) noexcept { shared_->table.remove(memory); }
  using default_queries = ::cuda::mr::properties_list<::cuda::mr::device_accessible>;
#else  // the names before CCCL 3.1
  void* allocate_async(std::size_t bytes, std::size_t alignment, ::cuda::stream_ref stream) {
    return take(stream.get(), bytes, alignment);
  }
  void deallocate_async(void* memory, std::size_t, std::size_t, ::cuda::stream_ref stream) noexcept {
    give(stream.get(), memory);
  }
  void* allocate(std::size_t bytes, std::size_t alignment = kAlignment) { return take_now(bytes, alignment); }
  void deallocate(void* memory, std::size_t, std::size_t = kAlignment) noexcept { shared_->table.remove(memory); }
#endif

  friend constexpr void get_property(const CudaMemoryResource&, ::cuda::mr::device_accessible) noexcept {}

 private:
  struct Shared {
    explicit Shared(Runtime& its_runtime) : runtime(its_runtime) {}
    Runtime& runtime;
    TensorTable table;
  };
  using Event = std::shared_ptr<CUevent_st>;

  // A point of `stream`; null where CUDA refuses.
  static Event point_of(cudaStream_t stream) noexcept {
    cudaEvent_t event = nullptr;
    if (cudaEventCreateWithFlags(&event, cudaEventDisableTiming) != cudaSuccess) return nullptr;
    Event result(event, [](cudaEvent_t of) { cudaEventDestroy(of); });
    return cudaEventRecord(event, stream) == cudaSuccess ? result : nullptr;
  }

  void* take(cudaStream_t stream, std::size_t bytes, std::size_t alignment) {
    Tensor memory = obtain(bytes, alignment);
    // The thread's stream is another one from here on only where all work on that memory is complete.
    const Stream own = shared_->runtime.stream();
    own.commit();  // what used the memory before is on its stream now
    const auto native = static_cast<cudaStream_t>(own.native_handle());
    if (native != stream) {
      const Event before = point_of(native);
      if (before == nullptr || cudaStreamWaitEvent(stream, before.get(), 0) != cudaSuccess) {
        throw DeviceError("a CUDA stream could not be made to wait for the memory that it asked for");
      }
    }
    return shared_->table.add(std::move(memory));
  }

  void* take_now(std::size_t bytes, std::size_t alignment) {
    Tensor memory = obtain(bytes, alignment);
    shared_->runtime.synchronize();
    return shared_->table.add(std::move(memory));
  }

  // The memory is used by a command that waits for `stream`, so it is not reused before.
  void give(cudaStream_t stream, void* address) noexcept {
    const Tensor memory = shared_->table.remove(address);
    if (!memory.defined()) return;
    try {
      const Event after = point_of(stream);
      if (after == nullptr) throw DeviceError("no event");
      custom(shared_->runtime, "wait for a stream", {memory}, {}, [after](const CustomCall& call) {
        cudaStreamWaitEvent(static_cast<cudaStream_t>(call.native_handle), after.get(), 0);
      });
      shared_->runtime.commit();
    } catch (...) {
      cudaStreamSynchronize(stream);
    }
  }

  Tensor obtain(std::size_t bytes, std::size_t alignment) const {
    if (alignment > kAlignment) {
      throw InvalidArgument("an alignment above 256 was asked for; device memory is aligned to 256 bytes");
    }
    return Tensor::empty(shared_->runtime,
                         Shape{static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float))});
  }

  std::shared_ptr<Shared> shared_;
};

#if CCCL_VERSION >= 3001000
static_assert(::cuda::mr::resource_with<CudaMemoryResource, ::cuda::mr::device_accessible>);
#elif defined(LIBCUDACXX_ENABLE_EXPERIMENTAL_MEMORY_RESOURCE)
static_assert(::cuda::mr::async_resource_with<CudaMemoryResource, ::cuda::mr::device_accessible>);
#endif

}  // namespace HEDDLE_NS
