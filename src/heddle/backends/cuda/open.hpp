// Opens the CUDA backend. absent.cpp stands in for it in builds without the CUDA toolkit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"
#include "heddle/device/device.hpp"

namespace HEDDLE_NS {

// How float32 products are computed.
enum class CudaMatmul : unsigned char {
  kFull,  // in float32 throughout
  kTf32,  // operands rounded to 10 bits of fraction, on the tensor cores
};

// Where segments of device memory come from.
enum class CudaPages : unsigned char {
  kVirtual,  // address space reserved once, memory mapped into it: giving memory back stalls no stream
  kPool,     // the driver's stream-ordered pool
  kPlain,    // cudaMalloc; giving memory back waits for the whole device
};

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
