#include "heddle/backends/cuda/current_device.hpp"

#include <array>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/driver.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS::cuda {

namespace {

// Primary contexts by device, once pushed. Retained for the life of the process, as the CUDA runtime does.
std::array<sync::Atomic<CUcontext>, 1024> contexts{};  // release when added, acquire when pushed

CUresult primary_context(const Driver& driver, int device, CUcontext* out) noexcept {
  sync::Atomic<CUcontext>& known = contexts[static_cast<std::size_t>(device) % contexts.size()];
  *out = known.load(sync::acquire);
  if (*out != nullptr) return CUDA_SUCCESS;
  CUdevice handle = 0;
  if (const CUresult result = driver.device(&handle, device); result != CUDA_SUCCESS) return result;
  if (const CUresult result = driver.context_retain(out, handle); result != CUDA_SUCCESS) return result;
  known.store(*out, sync::release);  // racing threads store the same value
  return CUDA_SUCCESS;
}

}  // namespace

bool CurrentDevice::push(int device) noexcept {
  const Driver* driver = nullptr;
  if (!Driver::load(&driver).ok()) return false;
  CUcontext context = nullptr;
  return primary_context(*driver, device, &context) == CUDA_SUCCESS && driver->context_push(context) == CUDA_SUCCESS;
}

Status CurrentDevice::status() const noexcept {
  int now = device_;
  if (Status status = call("cudaGetDevice", [&] { return cudaGetDevice(&now); }); !status.ok()) return status;
  if (now == device_) return {};
  const Driver* driver = nullptr;
  if (Status status = Driver::load(&driver); !status.ok()) return status;
  CUcontext context = nullptr;
  Status status = driver->status(primary_context(*driver, device_, &context), "cuDevicePrimaryCtxRetain");
  if (status.ok()) status = {ErrorKind::kDeviceError, "cuCtxPushCurrent failed"};
  return status;
}

void CurrentDevice::pop() noexcept {
  const Driver* driver = nullptr;
  CUcontext popped = nullptr;
  if (Driver::load(&driver).ok()) driver->context_pop(&popped);
}

}  // namespace HEDDLE_NS::cuda
