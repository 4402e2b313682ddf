#include "heddle/backends/cuda/cublaslt/matmul.hpp"

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/kernels/launch.hpp"

namespace HEDDLE_NS::cuda {

Status Matmul::submit(const MatmulArgs& args, Dtype dtype, cudaStream_t stream) {
  const Plan& plan = plans_.plan(args, dtype);
  const auto by_plain_kernel = [&] {
    return call("a product by the plain kernel", [&] { return launch_matmul(args, dtype, stream); });
  };
  switch (plan.by) {
    case MatmulBy::kSmallKernel: return call("a small product", [&] { return launch_matmul_small(args, stream); });
    case MatmulBy::kPlainKernel: return by_plain_kernel();
    case MatmulBy::kLibrary: break;
  }
  if (handle_.get() == nullptr) {
    if (Status status = handle_.create(); !status.ok()) return status;
  }
  const cublasLtMatmulDescOpaque_t* desc = &plan.desc;
  cublasLtMatmulDescOpaque_t with_bias;
  if (args.bias != nullptr) {
    Status status = plans_.describe(plan.key, plan.compute, args.bias, &with_bias);
    if (!status.ok()) return status;
    desc = &with_bias;
  }
  const float one = 1;
  const float zero = 0;
  bool refused = false;
  const Status status = cublas_call("cublasLtMatmul", [&] {
    const cublasStatus_t result = handle_.library().matmul(
        handle_.get(), const_cast<cublasLtMatmulDescOpaque_t*>(desc), &one, args.b,
        const_cast<cublasLtMatrixLayoutOpaque_t*>(&plan.b), args.a, const_cast<cublasLtMatrixLayoutOpaque_t*>(&plan.a),
        &zero, args.out, const_cast<cublasLtMatrixLayoutOpaque_t*>(&plan.out), args.out,
        const_cast<cublasLtMatrixLayoutOpaque_t*>(&plan.out), &plan.algo, args.workspace, plan.workspace, stream);
    refused = result == CUBLAS_STATUS_NOT_SUPPORTED || result == CUBLAS_STATUS_INVALID_VALUE;
    return result;
  });
  // cuBLASLt may refuse the algorithm that its heuristic proposed; it has launched nothing then.
  return refused ? by_plain_kernel() : status;
}

}  // namespace HEDDLE_NS::cuda
