// Finds the device and makes what a CudaDevice consists of. Every way to fail has its own text: no driver, a driver
// that is too old, no device, no such device, no code for its architecture, no cuBLASLt.
#include "heddle/backends/cuda/open.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/device.hpp"

namespace HEDDLE_NS {

namespace cuda {

namespace {

constexpr const char* kConnections = "CUDA_DEVICE_MAX_CONNECTIONS";
constexpr int kLeastMajor = 7;  // the intermediate code is for 7.5
constexpr int kLeastMinor = 5;

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

Status count_devices(int* count) {
  const cudaError_t error = attempt([&] { return cudaGetDeviceCount(count); });
  if (error == cudaSuccess) return {};
  cudaGetLastError();
  if (error == cudaErrorNoDevice) {
    return {ErrorKind::kInvalidArgument,
            "the cuda backend is built in, but this machine has no NVIDIA device; allowed: "
            "cpu, sim"};
  }
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    return {ErrorKind::kInvalidArgument,
            "the cuda backend is built in, but this machine has no NVIDIA driver; allowed: cpu, sim"};
  }
  if (error == cudaErrorInsufficientDriver) {
    return {ErrorKind::kInvalidArgument,
            fmt::format("the NVIDIA driver supports CUDA {}, this build needs {}; install a newer driver",
                        version_text(driver), version_text(CUDART_VERSION))};
  }
  return to_status(error, "cudaGetDeviceCount");
}

std::string describe(const cudaDeviceProp& properties, const CudaOptions& options, const PageSource& pages,
                     const CublasLt& library) {
  const std::size_t version = library.version();
  return fmt::format("cuBLASLt {}.{}.{}, products of float32 in {}; {}; compute capability {}.{}; {} connections",
                     version / 10000, version / 100 % 100, version % 100,
                     options.matmul == CudaMatmul::kFull ? "float32" : "TF32", pages.name(), properties.major,
                     properties.minor, std::getenv(kConnections));
}

Status open_pages(const CudaOptions& options, std::size_t bytes, std::unique_ptr<PageSource>* out) {
  const int index = static_cast<int>(options.index);
  switch (options.pages) {
    case CudaPages::kVirtual: return open_virtual_pages(index, bytes, out);
    case CudaPages::kPool: return open_pool_pages(index, out);
    case CudaPages::kPlain: return open_plain_pages(index, out);
  }
  return {ErrorKind::kInvalidArgument, "unknown source of pages"};
}

Status require_code(const cudaDeviceProp& properties, unsigned index) {
  const bool new_enough = std::pair(properties.major, properties.minor) >= std::pair(kLeastMajor, kLeastMinor);
  Status loaded;
  if (new_enough) loaded = call("loading a kernel", [] { return preload_kernels(); });
  if (new_enough && loaded.ok()) return {};
  return {
      ErrorKind::kUnsupported,
      fmt::format("device {} ({}) has compute capability {}.{}, for which this build has no code; it needs {}.{} or "
                  "later{}{}",
                  index, properties.name, properties.major, properties.minor, kLeastMajor, kLeastMinor,
                  loaded.ok() ? "" : ": ", loaded.text())};
}

Status open_device(const CudaOptions& options, std::unique_ptr<Device>* out) {
  setenv(kConnections, "32", 0);  // read once, when the first context is made
  int count = 0;
  Status status = count_devices(&count);
  if (!status.ok()) return status;
  if (options.index >= static_cast<unsigned>(count)) {
    return {ErrorKind::kInvalidArgument,
            fmt::format("cuda device {} does not exist; allowed: 0 to {}", options.index, count - 1)};
  }
  const int index = static_cast<int>(options.index);
  const CurrentDevice current(index);
  status = call("making the device's context", [] { return cudaFree(nullptr); });
  if (!status.ok()) return status;
  cudaDeviceProp properties{};
  status = call("cudaGetDeviceProperties", [&] { return cudaGetDeviceProperties(&properties, index); });
  if (!status.ok()) return status;
  if (status = require_code(properties, options.index); !status.ok()) return status;

  CudaDevice::Parts parts;
  parts.index = index;
  parts.matmul = options.matmul;
  if (status = CublasLt::load(&parts.library); !status.ok()) return status;
  if (status = open_pages(options, properties.totalGlobalMem, &parts.pages); !status.ok()) return status;
  parts.pinned = std::make_shared<PinnedMemory>(index);
  parts.slots = std::make_unique<LaneSlots>(index);
  if (status = parts.slots->open(*parts.pinned); !status.ok()) return status;
  parts.info.backend = "cuda";
  parts.info.name = properties.name;
  parts.info.kernels = describe(properties, options, *parts.pages, *parts.library);
  parts.info.processors = static_cast<unsigned>(properties.multiProcessorCount);
  parts.info.memory_bytes = properties.totalGlobalMem;
  parts.info.segment_granule = parts.pages->granule();
  parts.info.announces = false;
  *out = std::make_unique<CudaDevice>(std::move(parts));
  return {};
}

}  // namespace

}  // namespace cuda

Status open_cuda(const CudaOptions& options, std::unique_ptr<Device>* out) { return cuda::open_device(options, out); }

}  // namespace HEDDLE_NS
