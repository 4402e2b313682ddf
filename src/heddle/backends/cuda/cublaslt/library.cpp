#include "heddle/backends/cuda/cublaslt/library.hpp"

#include <fmt/format.h>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/shared_library.hpp"

namespace HEDDLE_NS::cuda {

namespace {

struct Loaded {
  CublasLt functions;
  Status status;
};

Loaded load_library() {
  const std::string file = fmt::format("libcublasLt.so.{}", HEDDLE_CUBLASLT_MAJOR);
  // Searches the loader's path first, then the toolkit's folder at build time.
  SharedLibrary library(
      {file, fmt::format("{}/{}", HEDDLE_CUBLASLT_DIR, file)},
      fmt::format("install cuBLAS of CUDA {}, or name its folder in LD_LIBRARY_PATH", HEDDLE_CUBLASLT_MAJOR));
  Loaded loaded;
  CublasLt& functions = loaded.functions;
  library.find("cublasLtCreate", &functions.create);
  library.find("cublasLtDestroy", &functions.destroy);
  library.find("cublasLtGetVersion", &functions.version);
  library.find("cublasLtMatmul", &functions.matmul);
  library.find("cublasLtMatmulAlgoGetHeuristic", &functions.heuristic);
  library.find("cublasLtMatmulDescInit_internal", &functions.desc_init);
  library.find("cublasLtMatmulDescSetAttribute", &functions.desc_set);
  library.find("cublasLtMatrixLayoutInit_internal", &functions.layout_init);
  library.find("cublasLtMatrixLayoutSetAttribute", &functions.layout_set);
  library.find("cublasLtMatmulPreferenceInit_internal", &functions.preference_init);
  library.find("cublasLtMatmulPreferenceSetAttribute", &functions.preference_set);
  loaded.status = library.status();
  return loaded;
}

const char* word(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "not initialized";
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

CublasLtHandle::~CublasLtHandle() {
  if (handle_ == nullptr) return;
  const CurrentDevice current(device_);
  library_.destroy(handle_);
}

Status CublasLtHandle::create() {
  const CurrentDevice current(device_);
  return cublas_call("cublasLtCreate", [&] { return library_.create(&handle_); });
}

Status to_status(cublasStatus_t status, const char* call) noexcept {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  cudaGetLastError();  // cuBLASLt received this error, and CUDA would report it again to this thread
  return {status == CUBLAS_STATUS_ALLOC_FAILED ? ErrorKind::kOutOfMemory : ErrorKind::kDeviceError,
          [&] { return fmt::format("{}: {} ({})", call, word(status), static_cast<int>(status)); }};
}

}  // namespace HEDDLE_NS::cuda
