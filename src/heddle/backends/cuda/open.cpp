// Finds the device and makes the parts of a CudaDevice. Every failure has its own text (open_errors.hpp).
#include "heddle/backends/cuda/open.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/device.hpp"
#include "heddle/backends/cuda/driver.hpp"
#include "heddle/backends/cuda/kernels/launch.hpp"
#include "heddle/backends/cuda/open_errors.hpp"

namespace HEDDLE_NS {

namespace cuda {

namespace {

constexpr const char* kConnections = "CUDA_DEVICE_MAX_CONNECTIONS";

// Also the process's first CUDA call, so it sets the environment first.
Status count_devices(int* count) {
  setenv(kConnections, "32", 0);
  const cudaError_t error = attempt([&] { return cudaGetDeviceCount(count); });
  if (error == cudaSuccess) return {};
  cudaGetLastError();
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  return count_error(error, driver, std::getenv("CUDA_VISIBLE_DEVICES"));
}

// The value that the driver read when the process made its first context; unknown if that was before us.
std::string connections(const Driver& driver, int index) {
  static const std::string known = [&]() -> std::string {
    CUdevice device = 0;
    unsigned flags = 0;
    int active = 0;
    if (driver.device(&device, index) != CUDA_SUCCESS ||
        driver.context_state(device, &flags, &active) != CUDA_SUCCESS || active != 0) {
      return "hardware connections: set by the first user of CUDA in this process";
    }
    const char* const value = std::getenv(kConnections);
    return fmt::format("hardware connections: {}", value != nullptr ? value : "CUDA's default");
  }();
  return known;
}

std::string describe(const cudaDeviceProp& properties, const CudaOptions& options, const PageSource& pages,
                     const CublasLt& library, const std::string& connections_text) {
  const std::size_t version = library.version();
  return fmt::format("cuBLASLt {}.{}.{}, products of float32 in {}; {}; compute capability {}.{}; {}", version / 10000,
                     version / 100 % 100, version % 100, options.matmul == CudaMatmul::kFull ? "float32" : "TF32",
                     pages.name(), properties.major, properties.minor, connections_text);
}

Status open_pages(const CudaOptions& options, std::size_t bytes, std::unique_ptr<PageSource>* out) {
  const int index = static_cast<int>(options.index);
  switch (options.pages) {
    case CudaPages::kVirtual: return open_virtual_pages(index, bytes, out);
    case CudaPages::kPool: return open_pool_pages(index, out);
    case CudaPages::kPlain: return open_plain_pages(index, out);
  }
  return {ErrorKind::kInvalidArgument, "unknown page source"};
}

Status open_device(const CudaOptions& options, std::unique_ptr<Device>* out) {
  int count = 0;
  Status status = count_devices(&count);
  if (!status.ok()) return status;
  if (options.index >= static_cast<unsigned>(count)) return index_error(options.index, count);
  const int index = static_cast<int>(options.index);
  const Driver* driver = nullptr;
  if (status = Driver::load(&driver); !status.ok()) return status;
  const std::string connections_text = connections(*driver, index);
  const CurrentDevice current(index);
  status = current.status();
  if (status.ok()) status = call("making the device's context", [] { return cudaFree(nullptr); });
  if (!status.ok()) return context_error(status, options.index);
  cudaDeviceProp properties{};
  status = call("cudaGetDeviceProperties", [&] { return cudaGetDeviceProperties(&properties, index); });
  if (!status.ok()) return status;
  const cudaError_t loading = attempt([] { return preload_kernels(); });
  if (loading != cudaSuccess) return load_error(loading, options.index, properties);

  CudaDevice::Parts parts;
  parts.index = index;
  if (status = CublasLt::load(&parts.library); !status.ok()) return status;
  parts.plans = std::make_unique<PlanTable>(*parts.library, options.matmul, index);
  if (status = parts.plans->open(); !status.ok()) return status;
  if (status = open_pages(options, properties.totalGlobalMem, &parts.pages); !status.ok()) return status;
  parts.pinned = std::make_shared<PinnedMemory>(index);
  parts.slots = std::make_unique<LaneSlots>(index);
  if (status = parts.slots->open(*parts.pinned); !status.ok()) return status;
  parts.info.backend = "cuda";
  parts.info.name = properties.name;
  parts.info.kernels = describe(properties, options, *parts.pages, *parts.library, connections_text);
  parts.info.processors = static_cast<unsigned>(properties.multiProcessorCount);
  parts.info.memory_bytes = properties.totalGlobalMem;
  parts.info.segment_granule = parts.pages->granule();
  parts.info.announces = false;
  *out = std::make_unique<CudaDevice>(std::move(parts));
  return {};
}

}  // namespace

}  // namespace cuda

bool cuda_built_in() noexcept { return true; }

std::vector<CudaDeviceName> cuda_devices() {
  std::vector<CudaDeviceName> devices;
  int count = 0;
  if (!cuda::count_devices(&count).ok()) return devices;
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp properties{};
    if (const cudaError_t error = cudaGetDeviceProperties(&properties, index); error != cudaSuccess) {
      cuda::release(error);
      devices.push_back({"a device whose name cannot be read", 0});
    } else {
      devices.push_back({properties.name, properties.totalGlobalMem});
    }
  }
  return devices;
}

Status open_cuda(const CudaOptions& options, std::unique_ptr<Device>* out) { return cuda::open_device(options, out); }

}  // namespace HEDDLE_NS
