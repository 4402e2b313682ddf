#include "heddle/backends/cuda/current_device.hpp"

#include <array>

#include "heddle/backends/cuda/driver.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS::cuda {

namespace {

// Primary contexts that were pushed once, by device. Retained for the life of the process, as the CUDA runtime does.
std::array<sync::Atomic<CUcontext>, 1024> contexts{};  // release when one is put in, acquire when it is pushed

CUcontext primary_context(const Driver& driver, int device) noexcept {
  sync::Atomic<CUcontext>& known = contexts[static_cast<std::size_t>(device) % contexts.size()];
  if (CUcontext context = known.load(sync::acquire); context != nullptr) return context;
  CUdevice handle = 0;
  CUcontext context = nullptr;
  if (driver.device(&handle, device) != CUDA_SUCCESS) return nullptr;
  if (driver.context_retain(&context, handle) != CUDA_SUCCESS) return nullptr;
  known.store(context, sync::release);  // two threads at once store the same
  return context;
}

}  // namespace

bool CurrentDevice::push(int device) noexcept {
  const Driver* driver = nullptr;
  if (!Driver::load(&driver).ok()) return false;
  CUcontext context = primary_context(*driver, device);
  return context != nullptr && driver->context_push(context) == CUDA_SUCCESS;
}

void CurrentDevice::pop() noexcept {
  const Driver* driver = nullptr;
  CUcontext popped = nullptr;
  if (Driver::load(&driver).ok()) driver->context_pop(&popped);
}

}  // namespace HEDDLE_NS::cuda
