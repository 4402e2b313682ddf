#include "heddle/backends/cuda/call.hpp"

#include <fmt/format.h>

#include "heddle/backends/cuda/open.hpp"

namespace HEDDLE_NS::cuda {

namespace {

sync::Atomic<std::uint64_t> made{0};
sync::Atomic<int> planted_error{0};

}  // namespace

bool is_sticky(cudaError_t error) noexcept {
  switch (int{error}) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case 226:  // cudaErrorContained, which older toolkits have no name for
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case 721:  // cudaErrorTensorMemoryLeak; the same
    case cudaErrorMpsClientTerminated:
    case cudaErrorExternalDevice: return true;
    default: return false;
  }
}

Status to_status(cudaError_t error, const char* call) noexcept {
  if (error == cudaSuccess) return {};
  // The runtime would report a thread's last error again; this Status reports it, so clear it.
  cudaGetLastError();
  const ErrorKind kind = error == cudaErrorMemoryAllocation ? ErrorKind::kOutOfMemory
                         : is_sticky(error)                 ? ErrorKind::kDeviceLost
                                                            : ErrorKind::kDeviceError;
  return {kind, [&] { return fmt::format("{}: {} ({})", call, cudaGetErrorString(error), cudaGetErrorName(error)); }};
}

void plant_failure(std::uint64_t nth, cudaError_t error) noexcept {
  planted_error.store(static_cast<int>(error), sync::relaxed);
  detail::failure_at.store(nth == 0 ? 0 : made.load(sync::relaxed) + nth, sync::relaxed);
  detail::counting.store(true, sync::seq_cst);
}

std::uint64_t calls_made() noexcept {
  detail::counting.store(true, sync::seq_cst);
  return made.load(sync::relaxed);
}

cudaError_t detail::count_call() noexcept {
  const std::uint64_t number = made.fetch_add(1, sync::relaxed) + 1;
  if (number != failure_at.load(sync::relaxed)) return cudaSuccess;
  return static_cast<cudaError_t>(planted_error.load(sync::relaxed));
}

}  // namespace HEDDLE_NS::cuda

namespace HEDDLE_NS {
std::uint64_t cuda_calls_made() noexcept { return cuda::calls_made(); }
}  // namespace HEDDLE_NS
