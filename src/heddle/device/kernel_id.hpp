// The kernels that a device executes, numbered and named from the rows of kernels-inl.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS {

enum class KernelId : std::uint16_t {
#define HEDDLE_KERNEL(Id, name, Args) k##Id,
#include "heddle/device/kernels-inl.h"
  kCount
};

inline constexpr std::size_t kKernelCount = static_cast<std::size_t>(KernelId::kCount);

// The elementwise functions: the rows of maps-inl.h.
inline constexpr KernelId kMapKernels[] = {
#define HEDDLE_MAP(Id, name, inputs, ...) KernelId::k##Id,
#include "heddle/device/maps-inl.h"
};

// Ends with a zero, which is not counted.
constexpr std::string_view kernel_name(KernelId id) noexcept {
  constexpr std::string_view kNames[] = {
#define HEDDLE_KERNEL(Id, name, Args) #name,
#include "heddle/device/kernels-inl.h"
  };
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == kKernelCount);
  return id < KernelId::kCount ? kNames[static_cast<std::size_t>(id)] : std::string_view("unknown");
}

}  // namespace HEDDLE_NS
