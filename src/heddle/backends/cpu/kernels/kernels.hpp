// The kernels of this folder and what they share. kernels/table.cpp maps KernelId to them.
#pragma once

#include "heddle/backends/cpu/kernels/kernel.hpp"
#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cpu {

// random.cpp: simd is the widest vector kernel, portable plain C++ rounded from double precision.
void randn_simd(const CommandView& command, KernelContext& context);
void randn_portable(const CommandView& command, KernelContext& context);
void uniform_simd(const CommandView& command, KernelContext& context);
void uniform_portable(const CommandView& command, KernelContext& context);

void advance(const CommandView& command, KernelContext& context);
void fill(const CommandView& command, KernelContext& context);
void upload(const CommandView& command, KernelContext& context);
void copy_bytes(const CommandView& command, KernelContext& context);
void stack(const CommandView& command, KernelContext& context);

// elementwise.cpp
void copy(const CommandView& command, KernelContext& context);
void cast(const CommandView& command, KernelContext& context);
// One for each row of device/maps-inl.h.
template <KernelId kId>
void map(const CommandView& command, KernelContext& context);
#define HEDDLE_MAP(Id, name, inputs, ...) \
  template <>                             \
  void map<KernelId::k##Id>(const CommandView& command, KernelContext& context);
#include "heddle/device/maps-inl.h"

// reduce.cpp
void sum(const CommandView& command, KernelContext& context);
void mean(const CommandView& command, KernelContext& context);

void timestamp(const CommandView& command, KernelContext& context);
void custom(const CommandView& command, KernelContext& context);

// matmul_portable.cpp; the arguments' form is for kernels that fall back to it, on float32.
void matmul_portable(const CommandView& command, KernelContext& context);
void matmul_portable(const MatmulArgs& args) noexcept;

}  // namespace HEDDLE_NS::cpu
