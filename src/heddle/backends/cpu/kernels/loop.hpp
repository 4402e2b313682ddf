// The loop of elementwise kernels: the innermost dimension is one row, the outer ones are counted like the digits of an
// odometer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"

namespace HEDDLE_NS::cpu {

// Row::row(dim, a, b, out) for every row of the loop. Kernels of one input get it twice.
template <class Row, class In, class Out>
void for_each_row(const ElementwiseArgs& args) noexcept {
  const auto* a = static_cast<const In*>(args.a);
  // Kernels of one input read a second time what they have, so that no loop tests for null.
  const bool one_input = args.b == nullptr;
  const auto* b = one_input ? a : static_cast<const In*>(args.b);
  auto* out = static_cast<Out*>(args.out);
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

}  // namespace HEDDLE_NS::cpu
