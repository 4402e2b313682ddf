// The few driver functions that the CUDA runtime does not offer, found at run time: programs need no driver to start.
//
// Thread safety: immutable once loaded.
#pragma once

#include <cuda.h>

#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS::cuda {

struct Driver {
  decltype(&cuGetErrorString) get_error_string = nullptr;
  decltype(&cuDeviceGetAttribute) attribute = nullptr;
  decltype(&cuMemGetAllocationGranularity) granularity = nullptr;
  decltype(&cuMemAddressReserve) address_reserve = nullptr;
  decltype(&cuMemAddressFree) address_free = nullptr;
  decltype(&cuMemCreate) create = nullptr;
  decltype(&cuMemRelease) release = nullptr;
  decltype(&cuMemMap) map = nullptr;
  decltype(&cuMemUnmap) unmap = nullptr;
  decltype(&cuMemSetAccess) set_access = nullptr;

  // REQUIRES: a device was chosen on this thread. Fails where the driver lacks one of them.
  static Status load(Driver* out);
  // As to_status(cudaError_t), for a driver call.
  Status status(CUresult result, const char* call) const;
};

}  // namespace HEDDLE_NS::cuda
