// How a Runtime is opened: a struct, and the HEDDLE_* variables that fill what the struct leaves open.
//
// Precedence: a field that is set, then its variable, then the default. A malformed value of a variable named here
// throws InvalidArgument, which names it. HEDDLE_* variables that the library does not know are ignored with one
// warning on standard error per process: other software sets variables of that form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/limits.hpp"

namespace HEDDLE_NS {

struct Options {
  // HEDDLE_DEVICE: "cpu" (default), "cuda", "cuda:N", "sim"
  std::optional<std::string> device = std::nullopt;
  // HEDDLE_CPU_KERNELS: best (default), portable
  std::optional<CpuKernels> cpu_kernels = std::nullopt;
  // HEDDLE_CPU_WORKERS: 1 to 1024; default: one per processor
  std::optional<unsigned> cpu_workers = std::nullopt;
  // HEDDLE_CUDA_MATMUL: full (default), tf32
  std::optional<CudaMatmul> cuda_matmul = std::nullopt;
  // HEDDLE_CUDA_PAGES: virtual (default), pool, plain
  std::optional<CudaPages> cuda_pages = std::nullopt;
  // HEDDLE_MEMORY_LIMIT: bytes; default: the device's memory
  std::optional<std::uint64_t> memory_limit = std::nullopt;
  // Above `high` obtained bytes idle memory goes back to the device, down to `low`; low <= high <= limit, 0: default.
  // HEDDLE_MEMORY_HIGH: default 15/16 of the limit
  std::optional<std::uint64_t> memory_high = std::nullopt;
  // HEDDLE_MEMORY_LOW: default 7/8 of the limit, or high if that is less
  std::optional<std::uint64_t> memory_low = std::nullopt;
  // HEDDLE_STREAMS: worker streams before the pool grows; default 32. Stream 0, the main thread's, comes on top.
  std::optional<std::uint32_t> streams = std::nullopt;
  // HEDDLE_STREAMS_MAX: the pool never holds more worker streams than this; default 128
  std::optional<std::uint32_t> streams_max = std::nullopt;
  // HEDDLE_WAIT: spin, adaptive (default), block
  std::optional<WaitPolicy> wait = std::nullopt;

  ExhaustionPolicy exhaustion = ExhaustionPolicy::kGrowThenWait;
  std::uint64_t seed = 0;                      // of the default generators
  HandlerFailureHook on_handler_failure = {};  // receives exceptions that leave completion handlers
  Limits limits = {};
};

}  // namespace HEDDLE_NS
