#include "heddle/backends/cuda/driver.hpp"

#include <fmt/format.h>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/shared_library.hpp"

namespace HEDDLE_NS::cuda {

namespace {

struct Loaded {
  Driver functions;
  Status status;
};

Loaded load_driver() {
  SharedLibrary library({"libcuda.so.1"}, "install a newer NVIDIA driver");
  Loaded loaded;
  Driver& functions = loaded.functions;
  library.find("cuGetErrorString", &functions.get_error_string);
  library.find("cuDeviceGet", &functions.device);
  library.find("cuDeviceGetAttribute", &functions.attribute);
  library.find("cuDevicePrimaryCtxGetState", &functions.context_state);
  library.find("cuDevicePrimaryCtxRetain", &functions.context_retain);
  library.find("cuCtxPushCurrent_v2", &functions.context_push);
  library.find("cuCtxPopCurrent_v2", &functions.context_pop);
  library.find("cuMemGetAllocationGranularity", &functions.granularity);
  library.find("cuMemAddressReserve", &functions.address_reserve);
  library.find("cuMemAddressFree", &functions.address_free);
  library.find("cuMemCreate", &functions.create);
  library.find("cuMemRelease", &functions.release);
  library.find("cuMemMap", &functions.map);
  library.find("cuMemUnmap", &functions.unmap);
  library.find("cuMemSetAccess", &functions.set_access);
  loaded.status = library.status();
  return loaded;
}

}  // namespace

Status Driver::load(const Driver** out) {
  // Never destroyed: static objects of a program may release memory at process exit.
  static const auto* const loaded = new Loaded(load_driver());
  *out = &loaded->functions;
  return loaded->status;
}

Status Driver::status(CUresult result, const char* call) const noexcept {
  if (result == CUDA_SUCCESS) return {};
  const char* text = nullptr;
  if (get_error_string == nullptr || get_error_string(result, &text) != CUDA_SUCCESS) text = "an unknown error";
  // For sticky errors, the runtime's numbers equal the driver's.
  const ErrorKind kind = result == CUDA_ERROR_OUT_OF_MEMORY                 ? ErrorKind::kOutOfMemory
                         : is_sticky(static_cast<cudaError_t>(int{result})) ? ErrorKind::kDeviceLost
                                                                            : ErrorKind::kDeviceError;
  return {kind, [&] { return fmt::format("{}: {} ({})", call, text, int{result}); }};
}

}  // namespace HEDDLE_NS::cuda
