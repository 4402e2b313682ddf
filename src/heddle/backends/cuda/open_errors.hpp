// Why a device cannot be opened, in one line each: what is missing, and what to do.
//
// Functions of what CUDA answered alone, so that their tests need no GPU. Thread safety: all functions.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

// `error`: of counting the devices. `driver`: the newest CUDA that the driver supports, as cudaDriverGetVersion() says
// it; 0 where there is no driver. `visible`: CUDA_VISIBLE_DEVICES; null where it is not set.
Status count_error(cudaError_t error, int driver, const char* visible);
Status index_error(unsigned index, int count);
// `why`: what CUDA said when the context was to be made.
Status context_error(const Status& why, unsigned index);
// `error`: of loading a kernel onto the device.
Status load_error(cudaError_t error, unsigned index, const cudaDeviceProp& properties);

}  // namespace HEDDLE_NS::cuda
