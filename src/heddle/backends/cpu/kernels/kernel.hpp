// What every CPU kernel sees. One kernel per file; kernels/table.cpp maps KernelId to it.
#pragma once

#include <cstddef>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/command_list.hpp"

namespace HEDDLE_NS::cpu {

struct KernelContext {
  const CommandList* list = nullptr;  // that the command is in; needed by what reads staged memory
};

// Executes one command to its end on the calling thread. Must not allocate device memory or start threads. Only a
// custom operation may throw.
using Kernel = void (*)(const CommandView& command, KernelContext& context);

// The kernel for `id`, or null when this backend lacks it. `best` chooses oneDNN where it is built in and wins.
Kernel find_kernel(KernelId id, bool best) noexcept;

bool has_kernel(KernelId id, Dtype dtype) noexcept;

// Which libraries and vector targets are in use, for people.
std::string describe_kernels(bool best);

}  // namespace HEDDLE_NS::cpu
