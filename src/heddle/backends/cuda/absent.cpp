// Replaces the backend in builds without the CUDA toolkit.
#include "heddle/backends/cuda/open.hpp"

namespace HEDDLE_NS {

Status open_cuda(const CudaOptions&, std::unique_ptr<Device>*) {
  return {
      ErrorKind::kUnsupported,
      "the cuda backend is not built into this library; allowed: cpu, sim (build with the CUDA toolkit to have it)"};
}

bool cuda_built_in() noexcept { return false; }

std::vector<CudaDeviceName> cuda_devices() { return {}; }

std::uint64_t cuda_calls_made() noexcept { return 0; }

}  // namespace HEDDLE_NS
