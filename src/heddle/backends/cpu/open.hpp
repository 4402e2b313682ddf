// Opens the CPU backend.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/error.hpp"
#include "heddle/limits.hpp"

namespace HEDDLE_NS {

struct CpuOptions {
  // Threads that run lists which no thread waits for; 0: one per processor in the affinity mask, or per the CPU quota.
  unsigned workers = 0;
  CpuKernels kernels = CpuKernels::kBest;
};

Status open_cpu(const CpuOptions& options, std::unique_ptr<Device>* out);

}  // namespace HEDDLE_NS
