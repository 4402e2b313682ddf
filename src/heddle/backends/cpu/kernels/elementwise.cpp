// Elementwise kernels: the innermost dimension is one row, the outer ones are counted like the digits of an odometer.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/backends/cpu/kernels/rows_simd.hpp"

namespace HEDDLE_NS::cpu {

namespace {

// One element; must be the same function as simd_row's.
template <RowOp op>
float apply(float a, [[maybe_unused]] float b) noexcept {
  if constexpr (op == RowOp::kRelu) return a < 0.0F ? 0.0F : a;
  if constexpr (op == RowOp::kAdd) return a + b;
  if constexpr (op == RowOp::kSub) return a - b;
  if constexpr (op == RowOp::kMul) return a * b;
  if constexpr (op == RowOp::kDiv) return a / b;
}

bool is_row(std::int64_t stride) noexcept { return stride == 0 || stride == 1; }

template <RowOp op>
struct Map {
  static void row(const LoopDim& dim, const float* a, const float* b, float* out) noexcept {
    if (dim.out_stride == 1 && is_row(dim.a_stride) && is_row(dim.b_stride)) {
      simd_row(op, static_cast<std::size_t>(dim.extent), a, dim.a_stride == 0, b, dim.b_stride == 0, out);
      return;
    }
    for (std::int64_t i = 0; i < dim.extent; ++i) {
      out[i * dim.out_stride] = apply<op>(a[i * dim.a_stride], b[i * dim.b_stride]);
    }
  }
};

struct Copy {
  static void row(const LoopDim& dim, const float* a, const float*, float* out) noexcept {
    if (dim.out_stride == 1 && dim.a_stride == 1) {
      if (out != a) std::memcpy(out, a, static_cast<std::size_t>(dim.extent) * sizeof(float));
    } else if (dim.out_stride == 1 && dim.a_stride == 0) {
      std::fill_n(out, dim.extent, *a);
    } else {
      for (std::int64_t i = 0; i < dim.extent; ++i) out[i * dim.out_stride] = a[i * dim.a_stride];
    }
  }
};

template <class Row>
void run(const CommandView& command) noexcept {
  const auto args = command.args<ElementwiseArgs>();
  const auto* a = static_cast<const float*>(args.a);
  // Kernels of one input read a second time what they have, so that no loop tests for null.
  const bool one_input = args.b == nullptr;
  const auto* b = one_input ? a : static_cast<const float*>(args.b);
  auto* out = static_cast<float*>(args.out);
  if (args.rank == 0) {
    Row::row(LoopDim{1, 1, 1, 1}, a, b, out);
    return;
  }
  const std::size_t outer = static_cast<std::size_t>(args.rank) - 1;
  LoopDim dims[kMaxRank];
  for (std::size_t i = 0; i <= outer; ++i) {
    dims[i] = args.dims[i];
    if (one_input) dims[i].b_stride = dims[i].a_stride;
  }
  std::int64_t index[kMaxRank] = {};
  for (;;) {
    Row::row(dims[outer], a, b, out);
    std::size_t at = outer;
    for (;; --at) {
      if (at == 0) return;
      const LoopDim& dim = dims[at - 1];
      out += dim.out_stride;
      a += dim.a_stride;
      b += dim.b_stride;
      if (++index[at - 1] < dim.extent) break;
      out -= dim.extent * dim.out_stride;
      a -= dim.extent * dim.a_stride;
      b -= dim.extent * dim.b_stride;
      index[at - 1] = 0;
    }
  }
}

}  // namespace

void copy(const CommandView& command, KernelContext&) { run<Copy>(command); }
void relu(const CommandView& command, KernelContext&) { run<Map<RowOp::kRelu>>(command); }
void add(const CommandView& command, KernelContext&) { run<Map<RowOp::kAdd>>(command); }
void sub(const CommandView& command, KernelContext&) { run<Map<RowOp::kSub>>(command); }
void mul(const CommandView& command, KernelContext&) { run<Map<RowOp::kMul>>(command); }
void div(const CommandView& command, KernelContext&) { run<Map<RowOp::kDiv>>(command); }

}  // namespace HEDDLE_NS::cpu
