// cuBLASLt, loaded when a device opens instead of at program start: half a gigabyte that only this backend needs.
//
// Thread safety: immutable once loaded; loaded once per process, never unloaded.
#pragma once

#include <cublasLt.h>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

struct CublasLt {
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtGetVersion) version = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
  decltype(&cublasLtMatmulDescInit_internal) desc_init = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) desc_set = nullptr;
  decltype(&cublasLtMatrixLayoutInit_internal) layout_init = nullptr;
  decltype(&cublasLtMatrixLayoutSetAttribute) layout_set = nullptr;
  decltype(&cublasLtMatmulPreferenceInit_internal) preference_init = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;

  // kUnsupported with the places that were searched.
  static Status load(const CublasLt** out);
};

// kOutOfMemory or kDeviceError, with the call's name and cuBLAS's name for the error.
Status to_status(cublasStatus_t status, const char* call) noexcept;

// Like call() for CUDA: tests can make it fail.
template <class Function>
Status cublas_call(const char* name, const Function& function) {
  cublasStatus_t result = CUBLAS_STATUS_SUCCESS;
  const cudaError_t planted = attempt([&] {
    result = function();
    return cudaSuccess;
  });
  return planted != cudaSuccess ? to_status(planted, name) : to_status(result, name);
}

// A library handle of one device, for one thread at a time.
class CublasLtHandle {
 public:
  CublasLtHandle(const CublasLt& library, int device) noexcept : library_(library), device_(device) {}
  ~CublasLtHandle();
  CublasLtHandle(const CublasLtHandle&) = delete;
  CublasLtHandle& operator=(const CublasLtHandle&) = delete;

  const CublasLt& library() const noexcept { return library_; }
  int device() const noexcept { return device_; }
  // REQUIRES: no handle was created, or creating it failed.
  Status create();
  cublasLtHandle_t get() const noexcept { return handle_; }  // null before create()

 private:
  const CublasLt& library_;
  const int device_;
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace HEDDLE_NS::cuda
