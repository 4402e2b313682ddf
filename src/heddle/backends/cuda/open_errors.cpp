#include "heddle/backends/cuda/open_errors.hpp"

#include <fmt/format.h>

#include "heddle/backends/cuda/call.hpp"

namespace HEDDLE_NS::cuda {

namespace {

Status missing(const char* what) {
  return {ErrorKind::kInvalidArgument, fmt::format("the cuda backend is built in, but {}; allowed: cpu, sim", what)};
}

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

}  // namespace

Status count_error(cudaError_t error, int driver, const char* visible) {
  if (error == cudaSuccess) return {};
  if (error == cudaErrorNoDevice) {
    if (visible == nullptr) return missing("this machine has no NVIDIA device");
    return missing(fmt::format("CUDA_VISIBLE_DEVICES='{}' shows no NVIDIA device", visible).c_str());
  }
  if (error == cudaErrorStubLibrary) {
    return missing("the libcuda.so.1 that was found is the toolkit's stub and no driver (see LD_LIBRARY_PATH)");
  }
  if (driver == 0) return missing("this machine has no NVIDIA driver");
  if (error == cudaErrorInsufficientDriver) {
    return {ErrorKind::kInvalidArgument,
            fmt::format("the NVIDIA driver supports CUDA {}, this build needs {}; install a newer driver",
                        version_text(driver), version_text(CUDART_VERSION))};
  }
  return to_status(error, "cudaGetDeviceCount");
}

Status index_error(unsigned index, int count) {
  return {ErrorKind::kInvalidArgument, fmt::format("cuda device {} does not exist; allowed: 0{}", index,
                                                   count > 1 ? fmt::format(" to {}", count - 1) : "")};
}

Status context_error(const Status& why, unsigned index) {
  return {why.kind(),
          fmt::format("cuda device {} has no context for this process: {}; see with nvidia-smi whether its "
                      "memory is full or its compute mode keeps other processes out, or name another device",
                      index, why.text())};
}

Status load_error(cudaError_t error, unsigned index, const cudaDeviceProp& properties) {
  switch (error) {
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorJitCompilationDisabled: break;
    default: return to_status(error, "loading the kernels");
  }
  cudaGetLastError();
  return {
      ErrorKind::kUnsupported,
      fmt::format("device {} ({}) has compute capability {}.{}, which this build's code for {} does not serve ({}); "
                  "allowed: a device it serves, or a build with CMAKE_CUDA_ARCHITECTURES={}{}",
                  index, properties.name, properties.major, properties.minor, HEDDLE_CUDA_ARCHITECTURES,
                  cudaGetErrorString(error), properties.major, properties.minor)};
}

}  // namespace HEDDLE_NS::cuda
