// Elementwise kernels; half-precision numbers are computed in float32 and rounded once.
#include "heddle/backends/cuda/kernels/elementwise.cuh"

namespace HEDDLE_NS::cuda {

namespace {

// The element itself: bits that no arithmetic touches.
struct Copy {
  template <class T>
  __device__ static T apply(T a, T) {
    return a;
  }
};

struct Relu {
  template <class T>
  __device__ static T apply(T a, T) {
    return load_float(a) < 0.0F ? store_float<T>(0.0F) : a;  // NaN stays NaN
  }
};

template <class Function>
struct Arithmetic {
  template <class T>
  __device__ static T apply(T a, T b) {
    return store_float<T>(Function::compute(load_float(a), load_float(b)));
  }
};

// Rounded one by one: what the compiler must not join to a multiplication with addition.
struct Add {
  __device__ static float compute(float a, float b) { return __fadd_rn(a, b); }
};
struct Sub {
  __device__ static float compute(float a, float b) { return __fsub_rn(a, b); }
};
struct Mul {
  __device__ static float compute(float a, float b) { return __fmul_rn(a, b); }
};
struct Div {
  __device__ static float compute(float a, float b) { return __fdiv_rn(a, b); }
};

// Calls `use` with the Map of one operation on one type.
template <class T, class Use>
cudaError_t with_operation(KernelId kernel, const Use& use) {
  switch (kernel) {
    case KernelId::kCopy: return use(Map<Copy, T, T>());
    case KernelId::kRelu: return use(Map<Relu, T, T>());
    case KernelId::kAdd: return use(Map<Arithmetic<Add>, T, T>());
    case KernelId::kSub: return use(Map<Arithmetic<Sub>, T, T>());
    case KernelId::kMul: return use(Map<Arithmetic<Mul>, T, T>());
    case KernelId::kDiv: return use(Map<Arithmetic<Div>, T, T>());
    default: return cudaErrorInvalidDeviceFunction;
  }
}

template <class Use>
cudaError_t with_map(KernelId kernel, Dtype dtype, const Use& use) {
  switch (dtype) {
    case Dtype::kFloat32: return with_operation<float>(kernel, use);
    case Dtype::kFloat16: return with_operation<__half>(kernel, use);
    case Dtype::kBFloat16: return with_operation<__nv_bfloat16>(kernel, use);
  }
  return cudaErrorInvalidDeviceFunction;
}

}  // namespace

cudaError_t launch_elementwise(KernelId kernel, Dtype dtype, const ElementwiseArgs& args, cudaStream_t stream) {
  return with_map(kernel, dtype, [&](auto map) { return map.launch_on(args, stream); });
}

cudaError_t preload_elementwise() {
  for (const Dtype dtype : {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBFloat16}) {
    for (const KernelId kernel :
         {KernelId::kCopy, KernelId::kRelu, KernelId::kAdd, KernelId::kSub, KernelId::kMul, KernelId::kDiv}) {
      const cudaError_t error = with_map(kernel, dtype, [](auto map) { return map.preload_on(); });
      if (error != cudaSuccess) return error;
    }
  }
  return cudaSuccess;
}

}  // namespace HEDDLE_NS::cuda
