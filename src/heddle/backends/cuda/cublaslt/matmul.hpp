// Matmul: submits products of one queue.
//
// Thread safety: none; the thread that holds the queue's lease. The handle is made with the first product.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/backends/cuda/cublaslt/plan_table.hpp"
#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS::cuda {

class Matmul {
 public:
  Matmul(const CublasLt& library, PlanTable& plans) noexcept : library_(library), plans_(plans) {}
  ~Matmul();
  Matmul(const Matmul&) = delete;
  Matmul& operator=(const Matmul&) = delete;

  // The device is current.
  Status submit(const MatmulArgs& args, Dtype dtype, cudaStream_t stream);

 private:
  const CublasLt& library_;
  PlanTable& plans_;
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace HEDDLE_NS::cuda
