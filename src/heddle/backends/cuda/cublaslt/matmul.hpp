// Matmul: submits products of one queue.
//
// Thread safety: none; used by the thread that holds the queue's lease. The first product creates the handle.
#pragma once

#include <cuda_runtime_api.h>

#include "heddle/backends/cuda/cublaslt/plan_table.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

class Matmul {
 public:
  Matmul(const CublasLt& library, PlanTable& plans, int device) noexcept : plans_(plans), handle_(library, device) {}

  // REQUIRES: the device is current.
  Status submit(const MatmulArgs& args, Dtype dtype, cudaStream_t stream);

 private:
  PlanTable& plans_;
  CublasLtHandle handle_;
};

}  // namespace HEDDLE_NS::cuda
