// Explains in one line each why a device cannot be opened: what is missing, and the remedy.
//
// Functions of CUDA's answers only, so that their tests need no GPU. Thread safety: all functions.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

// `error`: from counting the devices. `driver`: the newest CUDA version that the driver supports, from
// cudaDriverGetVersion(); 0 without a driver. `visible`: CUDA_VISIBLE_DEVICES; null if it is not set.
Status count_error(cudaError_t error, int driver, const char* visible);
Status index_error(unsigned index, int count);
// `why`: CUDA's error from creating the context.
Status context_error(const Status& why, unsigned index);
// `error`: from loading a kernel onto the device.
Status load_error(cudaError_t error, unsigned index, const cudaDeviceProp& properties);

}  // namespace HEDDLE_NS::cuda
