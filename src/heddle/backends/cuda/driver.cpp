#include "heddle/backends/cuda/driver.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <cstring>

#include "heddle/backends/cuda/call.hpp"

namespace HEDDLE_NS::cuda {

namespace {

constexpr unsigned kVersion = 12000;  // of the signatures in use

template <class Function>
Status find(const char* name, Function* out) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
  const Status status = call("cudaGetDriverEntryPointByVersion", [&] {
    return cudaGetDriverEntryPointByVersion(name, &found, kVersion, cudaEnableDefault, &result);
  });
  if (!status.ok()) return status;
  if (result != cudaDriverEntryPointSuccess || found == nullptr) {
    return {ErrorKind::kUnsupported, fmt::format("the CUDA driver has no {}; install a newer one", name)};
  }
  std::memcpy(out, &found, sizeof(found));
  return {};
}

}  // namespace

Status Driver::load(Driver* out) {
  Status first;
  const auto add = [&first](const Status& status) {
    if (first.ok()) first = status;
  };
  add(find("cuGetErrorString", &out->get_error_string));
  add(find("cuDeviceGetAttribute", &out->attribute));
  add(find("cuMemGetAllocationGranularity", &out->granularity));
  add(find("cuMemAddressReserve", &out->address_reserve));
  add(find("cuMemAddressFree", &out->address_free));
  add(find("cuMemCreate", &out->create));
  add(find("cuMemRelease", &out->release));
  add(find("cuMemMap", &out->map));
  add(find("cuMemUnmap", &out->unmap));
  add(find("cuMemSetAccess", &out->set_access));
  return first;
}

Status Driver::status(CUresult result, const char* call) const {
  if (result == CUDA_SUCCESS) return {};
  const char* text = nullptr;
  if (get_error_string == nullptr || get_error_string(result, &text) != CUDA_SUCCESS) text = "an unknown error";
  // The runtime's numbers are the driver's for everything that is sticky.
  const ErrorKind kind = result == CUDA_ERROR_OUT_OF_MEMORY                 ? ErrorKind::kOutOfMemory
                         : is_sticky(static_cast<cudaError_t>(int{result})) ? ErrorKind::kDeviceLost
                                                                            : ErrorKind::kDeviceError;
  return {kind, fmt::format("{}: {} ({})", call, text, int{result})};
}

}  // namespace HEDDLE_NS::cuda
