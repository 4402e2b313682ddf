#include "heddle/backends/cuda/cublaslt/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstring>

namespace HEDDLE_NS::cuda {

namespace {

struct Loaded {
  CublasLt functions;
  Status status;
};

template <class Function>
void find(void* library, const char* name, Function* out, Status* status) {
  void* const found = dlsym(library, name);
  if (found == nullptr) {
    *status = {ErrorKind::kUnsupported,
               fmt::format("cuBLASLt has no {}; install the version this was built with", name)};
    return;
  }
  std::memcpy(out, &found, sizeof(found));
}

Loaded load_library() {
  Loaded loaded;
  const std::string name = fmt::format("libcublasLt.so.{}", HEDDLE_CUBLASLT_MAJOR);
  // Where the loader looks, then where the toolkit was when this was built.
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    library = dlopen(fmt::format("{}/{}", HEDDLE_CUBLASLT_DIR, name).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    loaded.status = {ErrorKind::kUnsupported,
                     fmt::format("{} was not found, neither by the loader nor in {}; install cuBLAS of CUDA {} or name "
                                 "its folder in LD_LIBRARY_PATH",
                                 name, HEDDLE_CUBLASLT_DIR, HEDDLE_CUBLASLT_MAJOR)};
    return loaded;
  }
  CublasLt& functions = loaded.functions;
  Status* const status = &loaded.status;
  find(library, "cublasLtCreate", &functions.create, status);
  find(library, "cublasLtDestroy", &functions.destroy, status);
  find(library, "cublasLtGetVersion", &functions.version, status);
  find(library, "cublasLtMatmul", &functions.matmul, status);
  find(library, "cublasLtMatmulAlgoGetHeuristic", &functions.heuristic, status);
  find(library, "cublasLtMatmulDescInit_internal", &functions.desc_init, status);
  find(library, "cublasLtMatmulDescSetAttribute", &functions.desc_set, status);
  find(library, "cublasLtMatrixLayoutInit_internal", &functions.layout_init, status);
  find(library, "cublasLtMatrixLayoutSetAttribute", &functions.layout_set, status);
  find(library, "cublasLtMatmulPreferenceInit_internal", &functions.preference_init, status);
  find(library, "cublasLtMatmulPreferenceSetAttribute", &functions.preference_set, status);
  return loaded;
}

const char* word(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "not initialised";
    case CUBLAS_STATUS_ALLOC_FAILED: return "out of memory";
    case CUBLAS_STATUS_INVALID_VALUE: return "invalid value";
    case CUBLAS_STATUS_ARCH_MISMATCH: return "architecture mismatch";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "execution failed";
    case CUBLAS_STATUS_INTERNAL_ERROR: return "internal error";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "not supported";
    default: return "an unknown error";
  }
}

}  // namespace

Status CublasLt::load(const CublasLt** out) {
  // Never destroyed: lists may still run when static objects are.
  static const auto* const loaded = new Loaded(load_library());
  *out = &loaded->functions;
  return loaded->status;
}

Status to_status(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return {status == CUBLAS_STATUS_ALLOC_FAILED ? ErrorKind::kOutOfMemory : ErrorKind::kDeviceError,
          fmt::format("{}: {} ({})", call, word(status), static_cast<int>(status))};
}

}  // namespace HEDDLE_NS::cuda
