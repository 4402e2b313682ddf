// The few driver functions that the CUDA runtime lacks, resolved at run time: programs start without a driver.
//
// Thread safety: immutable once loaded; loaded once per process.
#pragma once

#include <cuda.h>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

struct Driver {
  decltype(&cuGetErrorString) get_error_string = nullptr;
  decltype(&cuDeviceGet) device = nullptr;
  decltype(&cuDeviceGetAttribute) attribute = nullptr;
  decltype(&cuDevicePrimaryCtxGetState) context_state = nullptr;
  decltype(&cuDevicePrimaryCtxRetain) context_retain = nullptr;
  decltype(&cuCtxPushCurrent) context_push = nullptr;
  decltype(&cuCtxPopCurrent) context_pop = nullptr;
  decltype(&cuMemGetAllocationGranularity) granularity = nullptr;
  decltype(&cuMemAddressReserve) address_reserve = nullptr;
  decltype(&cuMemAddressFree) address_free = nullptr;
  decltype(&cuMemCreate) create = nullptr;
  decltype(&cuMemRelease) release = nullptr;
  decltype(&cuMemMap) map = nullptr;
  decltype(&cuMemUnmap) unmap = nullptr;
  decltype(&cuMemSetAccess) set_access = nullptr;

  // REQUIRES: the CUDA runtime has found a device, so the driver is initialized. kUnsupported if the driver lacks one
  // of the functions.
  static Status load(const Driver** out);
  // Like to_status(cudaError_t), for a driver call.
  Status status(CUresult result, const char* call) const noexcept;
};

}  // namespace HEDDLE_NS::cuda
