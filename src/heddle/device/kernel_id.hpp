// The operations that a device executes. A new operation adds one line to the enum and one to kernel_name().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

enum class KernelId : std::uint16_t {
  kRandn,      // RandomArgs: standard normals
  kUniform,    // RandomArgs: uniforms in [0, 1)
  kAdvance,    // AdvanceArgs: moves a generator's state forward; recorded at the end of a list that drew numbers
  kFill,       // FillArgs
  kCopyBytes,  // CopyBytesArgs: between host and device, or within the device
  kCopy,       // ElementwiseArgs, one input (strided copy)
  kCast,       // ElementwiseArgs, one input of the type CommandHeader::source
  kRelu,       // ElementwiseArgs, one input
  kAdd,        // ElementwiseArgs, two inputs
  kSub,
  kMul,
  kDiv,
  kMatmul,     // MatmulArgs; with a bias it is linear
  kSum,        // ReduceArgs
  kMean,       // ReduceArgs
  kStack,      // StackArgs
  kTimestamp,  // TimestampArgs: the device's clock when the stream comes past
  kCustom,     // CustomArgs: a function of the user's
  kCount
};

inline constexpr std::size_t kKernelCount = static_cast<std::size_t>(KernelId::kCount);

constexpr std::string_view kernel_name(KernelId id) noexcept {
  constexpr std::string_view kNames[kKernelCount] = {"randn",  "uniform", "advance", "fill",  "copy_bytes", "copy",
                                                     "cast",   "relu",    "add",     "sub",   "mul",        "div",
                                                     "matmul", "sum",     "mean",    "stack", "timestamp",  "custom"};
  return id < KernelId::kCount ? kNames[static_cast<std::size_t>(id)] : std::string_view("unknown");
}

}  // namespace HEDDLE_NS
