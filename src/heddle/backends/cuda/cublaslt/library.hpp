// cuBLASLt, loaded when a device is opened rather than with the program: half a gigabyte that only this backend needs.
//
// Thread safety: immutable once loaded; loaded once a process, never unloaded.
#pragma once

#include <cublasLt.h>

#include <string>

#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"

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

  // kUnsupported with where it was looked for.
  static Status load(const CublasLt** out);
};

// kDeviceError with the call's name and cuBLAS's word for it.
Status to_status(cublasStatus_t status, const char* call);

}  // namespace HEDDLE_NS::cuda
