// Opens the CPU backend.
#pragma once

#include <memory>

#include "heddle/base/error.hpp"
#include "heddle/base/namespace.hpp"
#include "heddle/device/device.hpp"

namespace HEDDLE_NS {

enum class CpuKernels : unsigned char {
  kBest,      // oneDNN where it is built in, else portable
  kPortable,  // portable C++ only: the reference, and what sanitizers can see into
};

struct CpuOptions {
  // Threads that run lists nobody waits for; 0: one per processor of the affinity, or as many as a CPU quota pays for.
  unsigned workers = 0;
  CpuKernels kernels = CpuKernels::kBest;
};

Status open_cpu(const CpuOptions& options, std::unique_ptr<Device>* out);

}  // namespace HEDDLE_NS
