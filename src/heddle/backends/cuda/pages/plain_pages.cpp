// cudaMalloc and cudaFree.
#include <cuda_runtime_api.h>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/pages/page_source.hpp"

namespace HEDDLE_NS::cuda {

namespace {

class PlainPages final : public PageSource {
 public:
  explicit PlainPages(int device) : device_(device) {}

  Status acquire(std::size_t bytes, void** out) override {
    const CurrentDevice current(device_);
    return call("cudaMalloc", [&] { return cudaMalloc(out, whole_granules(bytes, kGranule)); });
  }

  void release(void* segment, std::size_t) noexcept override {
    const CurrentDevice current(device_);
    cuda::release(cudaFree(segment));
  }

  std::size_t granule() const noexcept override { return kGranule; }
  std::string name() const override { return "cudaMalloc"; }

 private:
  static constexpr std::size_t kGranule = std::size_t{2} << 20;
  const int device_;
};

}  // namespace

Status open_plain_pages(int device, std::unique_ptr<PageSource>* out) {
  *out = std::make_unique<PlainPages>(device);
  return {};
}

}  // namespace HEDDLE_NS::cuda
