// From one element type to another, through float32.
#include "heddle/backends/cuda/kernels/elementwise.cuh"

namespace HEDDLE_NS::cuda {

namespace {

struct Cast {
  template <class Out, class In>
  __device__ static Out apply(In a, In) {
    return store_float<Out>(load_float(a));
  }
};

template <class In, class Use>
cudaError_t with_target(Dtype to, const Use& use) {
  switch (to) {
    case Dtype::kFloat32: return use(Map<Cast, In, float>());
    case Dtype::kFloat16: return use(Map<Cast, In, __half>());
    case Dtype::kBFloat16: return use(Map<Cast, In, __nv_bfloat16>());
  }
  return cudaErrorInvalidDeviceFunction;
}

template <class Use>
cudaError_t with_map(Dtype from, Dtype to, const Use& use) {
  switch (from) {
    case Dtype::kFloat32: return with_target<float>(to, use);
    case Dtype::kFloat16: return with_target<__half>(to, use);
    case Dtype::kBFloat16: return with_target<__nv_bfloat16>(to, use);
  }
  return cudaErrorInvalidDeviceFunction;
}

}  // namespace

cudaError_t launch_cast(const CommandHeader& command, const ElementwiseArgs& args, cudaStream_t stream) {
  return with_map(command.source, command.dtype, [&](auto map) { return map.launch_on(args, stream); });
}

cudaError_t preload_cast() {
  for (std::size_t from = 0; from < kDtypeCount; ++from) {
    for (std::size_t to = 0; to < kDtypeCount; ++to) {
      const cudaError_t error =
          with_map(static_cast<Dtype>(from), static_cast<Dtype>(to), [](auto map) { return map.preload_on(); });
      if (error != cudaSuccess) return error;
    }
  }
  return cudaSuccess;
}

}  // namespace HEDDLE_NS::cuda
