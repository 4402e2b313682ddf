// A stream-ordered pool of the driver's, of our own, which keeps nothing that we release.
#include <cuda_runtime_api.h>

#include <cstdint>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/pages/page_source.hpp"

namespace HEDDLE_NS::cuda {

namespace {

class PoolPages final : public PageSource {
 public:
  PoolPages(int device, cudaMemPool_t pool, cudaStream_t stream) : device_(device), pool_(pool), stream_(stream) {}

  ~PoolPages() override {
    const CurrentDevice current(device_);
    cudaStreamDestroy(stream_);
    cudaMemPoolDestroy(pool_);
  }

  // The memory may be used by every stream once the allocation itself has passed on ours.
  Status acquire(std::size_t bytes, void** out) override {
    const CurrentDevice current(device_);
    void* segment = nullptr;
    Status status = call("cudaMallocFromPoolAsync", [&] {
      return cudaMallocFromPoolAsync(&segment, whole_granules(bytes, kGranule), pool_, stream_);
    });
    if (!status.ok()) return status;
    status = call("cudaStreamSynchronize", [&] { return cudaStreamSynchronize(stream_); });
    if (!status.ok()) {
      cudaFreeAsync(segment, stream_);
      return status;
    }
    *out = segment;
    return {};
  }

  void release(void* segment, std::size_t) noexcept override {
    const CurrentDevice current(device_);
    cudaFreeAsync(segment, stream_);
    cudaStreamSynchronize(stream_);  // the pool's threshold is 0: now it is the device's again
  }

  std::size_t granule() const noexcept override { return kGranule; }
  std::string name() const override { return "driver pool"; }

 private:
  static constexpr std::size_t kGranule = std::size_t{2} << 20;
  const int device_;
  const cudaMemPool_t pool_;
  const cudaStream_t stream_;
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
  cudaStream_t stream = nullptr;
  status = call("cudaStreamCreateWithFlags", [&] { return cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking); });
  if (!status.ok()) {
    cudaMemPoolDestroy(pool);
    return status;
  }
  *out = std::make_unique<PoolPages>(device, pool, stream);
  return {};
}

}  // namespace HEDDLE_NS::cuda
