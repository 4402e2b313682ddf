// The way to make a CUDA call whose failure matters: the error becomes a Status, and tests can make the call fail.
//
//   Status status = call("cudaStreamCreate", [&] { return cudaStreamCreate(&stream); });
//   if (!status.ok()) return status;
//
// Thread safety: all functions, from any thread; the planted failure is process-wide.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS::cuda {

// True for errors after which the context is gone: nothing more runs on this device in this process.
bool is_sticky(cudaError_t error) noexcept;

// kOutOfMemory, kDeviceLost (sticky), or kDeviceError, with the call's name and CUDA's text. Ok for cudaSuccess.
Status to_status(cudaError_t error, const char* call) noexcept;

// For calls that release something: a failure has no remedy, but CUDA would report it to the thread's next caller.
inline void release(cudaError_t error) noexcept {
  if (error != cudaSuccess) cudaGetLastError();
}

// The n-th call from now on is not made and fails with `error`; 0: no call fails. For tests.
void plant_failure(std::uint64_t nth, cudaError_t error) noexcept;
// The number of calls since the process began.
std::uint64_t calls_made() noexcept;

namespace detail {
inline sync::Atomic<std::uint64_t> failure_at{0};  // relaxed: no other data
inline sync::Atomic<bool> counting{false};
cudaError_t count_call() noexcept;
}  // namespace detail

// The error of `function`, which is not called if a failure is planted. While no test counts, counting costs one load.
template <class Function>
cudaError_t attempt(const Function& function) {
  if (detail::counting.load(sync::relaxed)) [[unlikely]] {
    if (const cudaError_t planted = detail::count_call(); planted != cudaSuccess) return planted;
  }
  return function();
}

template <class Function>
Status call(const char* name, const Function& function) {
  const cudaError_t error = attempt(function);
  if (error == cudaSuccess) [[likely]]
    return {};
  return to_status(error, name);
}

}  // namespace HEDDLE_NS::cuda
