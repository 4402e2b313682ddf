// Opens the CPU backend.
#pragma once

#include <memory>

#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"
#include "heddle/device/device.hpp"

namespace HEDDLE_NS {

enum class CpuKernels : unsigned char {
  kBest,      // oneDNN if it is built in, otherwise portable
  kPortable,  // portable C++ only: the reference, and visible to sanitizers
};

struct CpuOptions {
  // Threads that run lists which no thread waits for; 0: one per processor in the affinity mask, or per the CPU quota.
  unsigned workers = 0;
  CpuKernels kernels = CpuKernels::kBest;
};

Status open_cpu(const CpuOptions& options, std::unique_ptr<Device>* out);

}  // namespace HEDDLE_NS
