// How a Runtime is opened: a struct, and the HEDDLE_* variables that fill what the struct leaves open.
//
// Precedence: a field that is set, then its variable, then the default. A malformed variable throws InvalidArgument
// naming it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "heddle/backends/cpu/open.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/base/limits.hpp"
#include "heddle/base/namespace.hpp"
#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

struct Options {
  std::optional<std::string> device;          // HEDDLE_DEVICE: "cpu" (default), "cuda", "cuda:N", "sim"
  std::optional<CpuKernels> cpu_kernels;      // HEDDLE_CPU_KERNELS: best (default), portable
  std::optional<unsigned> cpu_workers;        // HEDDLE_CPU_WORKERS: 1 to 1024; default: one per processor
  std::optional<CudaMatmul> cuda_matmul;      // HEDDLE_CUDA_MATMUL: full (default), tf32
  std::optional<CudaPages> cuda_pages;        // HEDDLE_CUDA_PAGES: virtual (default), pool, plain
  std::optional<std::uint64_t> memory_limit;  // HEDDLE_MEMORY_LIMIT: bytes; default: the device's memory
  // Above `high` obtained bytes idle memory goes back to the device, down to `low`; low <= high <= limit, 0: default.
  std::optional<std::uint64_t> memory_high;  // HEDDLE_MEMORY_HIGH: default 15/16 of the limit
  std::optional<std::uint64_t> memory_low;   // HEDDLE_MEMORY_LOW: default 7/8 of the limit, or high if that is less
  std::optional<std::uint32_t> streams;      // HEDDLE_STREAMS: worker streams before the pool grows; default 32
  std::optional<std::uint32_t> streams_max;  // HEDDLE_STREAMS_MAX: default 128
  std::optional<WaitPolicy> wait;            // HEDDLE_WAIT: spin, adaptive (default), block
  ExhaustionPolicy exhaustion = ExhaustionPolicy::kGrowThenWait;
  std::uint64_t seed = 0;
  HandlerFailureHook on_handler_failure;  // told about exceptions that leave completion handlers
  Limits limits;                          // the remaining bounds
};

}  // namespace HEDDLE_NS
