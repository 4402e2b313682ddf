// The loops of elementwise kernels: dense operands several at a time, strided ones one by one.
#pragma once

#include <algorithm>

#include "heddle/backends/cuda/kernels/launch.cuh"
#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cuda {

inline constexpr unsigned kElementwiseThreads = 256;

// out[i] = op(a[i], b[i]), all dense; an input of stride 0 is one element. kWidth elements a thread; all pointers that
// move are aligned to that.
template <class Op, class In, class Out, int kWidth>
__global__ void __launch_bounds__(kElementwiseThreads)
    map_dense(Out* out, const In* a, const In* b, std::uint64_t count, bool a_moves, bool b_moves) {
  const std::uint64_t first = (std::uint64_t{blockIdx.x} * kElementwiseThreads + threadIdx.x) * kWidth;
  if (first >= count) return;
  if (first + kWidth <= count) {
    Pack<In, kWidth> left, right;
    Pack<Out, kWidth> result;
    if (a_moves) {
      left = *reinterpret_cast<const Pack<In, kWidth>*>(a + first);
    } else {
      for (int i = 0; i < kWidth; ++i) left.at[i] = *a;
    }
    if (b_moves) {
      right = *reinterpret_cast<const Pack<In, kWidth>*>(b + first);
    } else {
      for (int i = 0; i < kWidth; ++i) right.at[i] = *b;
    }
    for (int i = 0; i < kWidth; ++i) result.at[i] = Op::template apply<Out>(left.at[i], right.at[i]);
    *reinterpret_cast<Pack<Out, kWidth>*>(out + first) = result;
    return;
  }
  for (std::uint64_t i = first; i < count; ++i) {
    out[i] = Op::template apply<Out>(a[a_moves ? i : 0], b[b_moves ? i : 0]);
  }
}

// The general loop: the index is taken apart from the innermost dimension on.
template <class Op, class In, class Out, class Index>
__global__ void __launch_bounds__(kElementwiseThreads)
    map_strided(const __grid_constant__ ElementwiseArgs args, Index count) {
  Index index = static_cast<Index>(blockIdx.x) * kElementwiseThreads + threadIdx.x;
  if (index >= count) return;
  std::int64_t out_at = 0, a_at = 0, b_at = 0;
  for (int dim = static_cast<int>(args.rank) - 1; dim >= 0; --dim) {
    const LoopDim& loop = args.dims[dim];
    const Index rest = index / static_cast<Index>(loop.extent);
    const auto at = static_cast<std::int64_t>(index - rest * static_cast<Index>(loop.extent));
    out_at += at * loop.out_stride;
    a_at += at * loop.a_stride;
    b_at += at * loop.b_stride;
    index = rest;
  }
  static_cast<Out*>(args.out)[out_at] =
      Op::template apply<Out>(static_cast<const In*>(args.a)[a_at], static_cast<const In*>(args.b)[b_at]);
}

template <class Op, class In, class Out>
struct Map {
  static constexpr int kWide = static_cast<int>(16 / std::max(sizeof(In), sizeof(Out)));

  static cudaError_t launch_on(ElementwiseArgs args, cudaStream_t stream) {
    if (args.b == nullptr) {  // a second operand that is the first, so that no loop tests for null
      args.b = args.a;
      for (std::uint64_t i = 0; i < args.rank; ++i) args.dims[i].b_stride = args.dims[i].a_stride;
    }
    if (args.rank == 0) {
      args.rank = 1;
      args.dims[0] = {1, 1, 1, 1};
    }
    std::uint64_t count = 1;
    for (std::uint64_t i = 0; i < args.rank; ++i) count *= static_cast<std::uint64_t>(args.dims[i].extent);
    const LoopDim& dim = args.dims[0];
    const auto dense = [](std::int64_t stride) { return stride == 0 || stride == 1; };
    if (args.rank == 1 && dim.out_stride == 1 && dense(dim.a_stride) && dense(dim.b_stride)) {
      return launch_dense(args, count, stream);
    }
    const unsigned blocks = blocks_for(count, kElementwiseThreads);
    if (count < 0x80000000U) {
      return launch(map_strided<Op, In, Out, std::uint32_t>, blocks, kElementwiseThreads, stream, args,
                    static_cast<std::uint32_t>(count));
    }
    return launch(map_strided<Op, In, Out, std::uint64_t>, blocks, kElementwiseThreads, stream, args, count);
  }

  static cudaError_t preload_on() {
    return preload_all(map_dense<Op, In, Out, kWide>, map_dense<Op, In, Out, 1>,
                       map_strided<Op, In, Out, std::uint32_t>, map_strided<Op, In, Out, std::uint64_t>);
  }

 private:
  static cudaError_t launch_dense(const ElementwiseArgs& args, std::uint64_t count, cudaStream_t stream) {
    auto* const out = static_cast<Out*>(args.out);
    const auto* const a = static_cast<const In*>(args.a);
    const auto* const b = static_cast<const In*>(args.b);
    const bool a_moves = args.dims[0].a_stride == 1;
    const bool b_moves = args.dims[0].b_stride == 1;
    const bool wide = is_aligned(out, sizeof(Out) * kWide) && (!a_moves || is_aligned(a, sizeof(In) * kWide)) &&
                      (!b_moves || is_aligned(b, sizeof(In) * kWide));
    if (wide) {
      return launch(map_dense<Op, In, Out, kWide>, blocks_for(count, std::uint64_t{kElementwiseThreads} * kWide),
                    kElementwiseThreads, stream, out, a, b, count, a_moves, b_moves);
    }
    return launch(map_dense<Op, In, Out, 1>, blocks_for(count, kElementwiseThreads), kElementwiseThreads, stream, out,
                  a, b, count, a_moves, b_moves);
  }
};

}  // namespace HEDDLE_NS::cuda
