// Opens the CUDA backend. absent.cpp replaces it in builds without the CUDA toolkit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/error.hpp"
#include "heddle/limits.hpp"

namespace HEDDLE_NS {

struct CudaOptions {
  unsigned index = 0;  // the CUDA runtime's device number
  CudaMatmul matmul = CudaMatmul::kFull;
  CudaPages pages = CudaPages::kVirtual;
};

// kUnsupported: not built in, or this build has no code for the device's architecture. kInvalidArgument: no driver, no
// device, or no device with that index. Sets CUDA_DEVICE_MAX_CONNECTIONS to 32 unless the environment sets it, which
// has an effect only if the process has not used CUDA before.
Status open_cuda(const CudaOptions& options, std::unique_ptr<Device>* out);

// False in builds without the CUDA toolkit, in which open_cuda() always fails.
bool cuda_built_in() noexcept;

struct CudaDeviceName {
  std::string name;  // the product name
  std::size_t memory_bytes = 0;
};
// The devices by index; empty where open_cuda() reports the reason. Creates no context on any. Thread safety: any
// thread.
std::vector<CudaDeviceName> cuda_devices();

// The number of CUDA calls whose failure matters (launches, allocations, copies, waits; not releases) that the backend
// has made in this process since the first call of this function. 0 without the backend. Thread safety: any thread.
std::uint64_t cuda_calls_made() noexcept;

}  // namespace HEDDLE_NS
