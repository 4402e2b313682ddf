// What the kernels share: launching, loading, and element types.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "heddle/backends/cuda/kernels/launch.hpp"
#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cuda {

template <class T>
struct Identity {
  using Type = T;
};

// kernel<<<grid, block, 0, stream>>>(args...), with the error as the result and nothing left in the thread's last
// error.
template <class... Params>
cudaError_t launch(void (*kernel)(Params...), dim3 grid, dim3 block, cudaStream_t stream,
                   typename Identity<Params>::Type... args) {
  void* pointers[] = {&args...};
  const cudaError_t error = cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, pointers, 0, stream);
  if (error != cudaSuccess) cudaGetLastError();
  return error;
}

// Makes the driver load the kernel now: asking for its properties does.
template <class... Params>
cudaError_t preload(void (*kernel)(Params...)) {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel));
}

// The first error of several preloads.
template <class... Kernels>
cudaError_t preload_all(Kernels... kernels) {
  cudaError_t first = cudaSuccess;
  ((first = first == cudaSuccess ? preload(kernels) : first), ...);
  return first;
}

inline unsigned blocks_for(std::uint64_t work, std::uint64_t per_block) {
  const std::uint64_t blocks = (work + per_block - 1) / per_block;
  return blocks > 0x7FFFFFFF ? 0xFFFFFFFFU : static_cast<unsigned>(blocks);  // too many: the driver says so
}

inline bool is_aligned(const void* pointer, std::size_t bytes) {
  return reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;
}

__device__ inline float load_float(float value) { return value; }
__device__ inline float load_float(__half value) { return __half2float(value); }
__device__ inline float load_float(__nv_bfloat16 value) { return __bfloat162float(value); }

template <class T>
__device__ T store_float(float value);
template <>
__device__ inline float store_float<float>(float value) {
  return value;
}
template <>
__device__ inline __half store_float<__half>(float value) {
  return __float2half_rn(value);
}
template <>
__device__ inline __nv_bfloat16 store_float<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

// Several elements that move as one access.
template <class T, int kWidth>
struct alignas(sizeof(T) * kWidth) Pack {
  T at[kWidth];
};

// One for each file of kernels, called by preload_kernels().
cudaError_t preload_tick();
cudaError_t preload_random();
cudaError_t preload_fill();
cudaError_t preload_copy();
cudaError_t preload_elementwise();
cudaError_t preload_cast();
cudaError_t preload_reduce();
cudaError_t preload_matmul();
cudaError_t preload_matmul_small();

}  // namespace HEDDLE_NS::cuda
