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

// The machine of the elementwise functions. Rounded one by one: what the compiler must not join to a multiplication
// with addition.
struct Floats {
  using V = float;
  __device__ static float number(float value) { return value; }
  __device__ static bool less(float a, float b) { return a < b; }
  __device__ static float select(bool condition, float yes, float no) { return condition ? yes : no; }
  __device__ static float add(float a, float b) { return __fadd_rn(a, b); }
  __device__ static float sub(float a, float b) { return __fsub_rn(a, b); }
  __device__ static float mul(float a, float b) { return __fmul_rn(a, b); }
  __device__ static float div(float a, float b) { return __fdiv_rn(a, b); }
};

namespace maps {
#define HEDDLE_MAP_FUNCTION __device__
#include "heddle/device/maps-inl.h"
}  // namespace maps

template <class Function>
struct Mapped {
  template <class T>
  __device__ static T apply(T a, T b) {
    const float x = load_float(a);
    const float result = Function::apply(Floats(), x, load_float(b));
    // An element that a function of one input leaves as it is keeps its bits, those of a NaN too.
    if (Function::kInputs == 1 && __float_as_uint(result) == __float_as_uint(x)) return a;
    return store_float<T>(result);
  }
};

// Calls `use` with the Map of one operation on one type.
template <class T, class Use>
cudaError_t with_operation(KernelId kernel, const Use& use) {
  switch (kernel) {
    case KernelId::kCopy: return use(Map<Copy, T, T>());
#define HEDDLE_MAP(Id, name, inputs, ...) \
  case KernelId::k##Id: return use(Map<Mapped<maps::Id>, T, T>());
#include "heddle/device/maps-inl.h"
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

cudaError_t launch_elementwise(const CommandHeader& command, const ElementwiseArgs& args, cudaStream_t stream) {
  return with_map(command.kernel, command.dtype, [&](auto map) { return map.launch_on(args, stream); });
}

cudaError_t preload_elementwise() {
  for (const Dtype dtype : {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBFloat16}) {
    const auto preload = [&](KernelId kernel) {
      return with_map(kernel, dtype, [](auto map) { return map.preload_on(); });
    };
    cudaError_t error = preload(KernelId::kCopy);
    for (const KernelId kernel : kMapKernels) {
      if (error == cudaSuccess) error = preload(kernel);
    }
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

}  // namespace HEDDLE_NS::cuda
