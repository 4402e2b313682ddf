// Opens the CUDA backend. absent.cpp stands in for it in builds without the CUDA toolkit.
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
  unsigned index = 0;  // as the CUDA runtime counts devices
  CudaMatmul matmul = CudaMatmul::kFull;
  CudaPages pages = CudaPages::kVirtual;
};

// kUnsupported: not built in, or the device's architecture has no code here. kInvalidArgument: no driver, no device, or
// no device of that index. Sets CUDA_DEVICE_MAX_CONNECTIONS to 32 unless the environment has it; that counts only where
// nothing in the process has used CUDA before.
Status open_cuda(const CudaOptions& options, std::unique_ptr<Device>* out);

// False in builds without the CUDA toolkit: open_cuda() then always fails.
bool cuda_built_in() noexcept;

struct CudaDeviceName {
  std::string name;  // the product's, for people
  std::size_t memory_bytes = 0;
};
// Which devices there are, by index; none where open_cuda() says why. Makes no context on any. Thread safety: any
// thread.
std::vector<CudaDeviceName> cuda_devices();

// How many calls of CUDA whose failure matters (launches, allocations, copies, waits; not releases) the backend has
// made in this process since this was first asked. 0 without the backend. Thread safety: any thread.
std::uint64_t cuda_calls_made() noexcept;

}  // namespace HEDDLE_NS
