// Our own stream-ordered pool of the driver; it keeps no released memory.
#include <cuda_runtime_api.h>

#include <utility>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/owned_stream.hpp"
#include "heddle/backends/cuda/pages/page_source.hpp"

namespace HEDDLE_NS::cuda {

namespace {

class PoolPages final : public PageSource {
 public:
  PoolPages(int device, cudaMemPool_t pool, OwnedStream stream)
      : device_(device), pool_(pool), stream_(std::move(stream)) {}

  ~PoolPages() override {
    const CurrentDevice current(device_);
    cuda::release(cudaMemPoolDestroy(pool_));
  }

  // Every stream may use the memory once the allocation itself has passed on our stream.
  Status acquire(std::size_t bytes, void** out) override {
    const CurrentDevice current(device_);
    void* segment = nullptr;
    Status status = call("cudaMallocFromPoolAsync", [&] {
      return cudaMallocFromPoolAsync(&segment, whole_granules(bytes, kGranule), pool_, stream_.get());
    });
    if (!status.ok()) return status;
    status = call("cudaStreamSynchronize", [&] { return cudaStreamSynchronize(stream_.get()); });
    if (!status.ok()) {
      cuda::release(cudaFreeAsync(segment, stream_.get()));
      return status;
    }
    *out = segment;
    return {};
  }

  void release(void* segment, std::size_t) noexcept override {
    const CurrentDevice current(device_);
    cuda::release(cudaFreeAsync(segment, stream_.get()));
    // the pool's threshold is 0, so the memory is back on the device
    cuda::release(cudaStreamSynchronize(stream_.get()));
  }

  std::size_t granule() const noexcept override { return kGranule; }
  std::string name() const override { return "driver pool"; }

 private:
  static constexpr std::size_t kGranule = std::size_t{2} << 20;
  const int device_;
  const cudaMemPool_t pool_;
  const OwnedStream stream_;
};

}  // namespace

Status open_pool_pages(int device, std::unique_ptr<PageSource>* out) {
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device;
  cudaMemPool_t pool = nullptr;
  Status status = call("cudaMemPoolCreate", [&] { return cudaMemPoolCreate(&pool, &properties); });
  if (!status.ok()) return status;
  OwnedStream stream;
  if (status = make_stream(device, &stream); !status.ok()) {
    release(cudaMemPoolDestroy(pool));
    return status;
  }
  try {
    *out = std::make_unique<PoolPages>(device, pool, std::move(stream));
  } catch (...) {
    release(cudaMemPoolDestroy(pool));
    throw;
  }
  return {};
}

}  // namespace HEDDLE_NS::cuda
