#include "heddle/backends/cuda/kernels/launch.cuh"

namespace HEDDLE_NS::cuda {

cudaError_t preload_kernels() {
  cudaError_t first = cudaSuccess;
  for (const auto preload_file : {preload_tick, preload_random, preload_fill, preload_copy, preload_elementwise,
                                  preload_cast, preload_reduce, preload_matmul, preload_matmul_small}) {
    const cudaError_t error = preload_file();
    if (first == cudaSuccess) first = error;
  }
  return first;
}

}  // namespace HEDDLE_NS::cuda
