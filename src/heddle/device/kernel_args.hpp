// What a command carries: one plain struct per family of kernels.
//
// Arguments are compared and hashed as bytes when lists are replayed, so they hold no padding (CommandArgs in
// command.hpp checks it) and no pointer to host memory (except in CopyBytesArgs, of downloads, and CustomArgs). Scalars
// travel as bit patterns. Sizes and strides count elements unless named bytes. The dtype travels in the command's
// header. Pointers are device addresses; arg_layouts.hpp describes every word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/limits.hpp"

namespace HEDDLE_NS {

// The state of a random generator; lives in device memory and advances there.
// Philox4x32-10 (Salmon et al., SC 2011): key = seed; 128-bit counter = {block, subsequence}.
// Block c of subsequence s yields four 32-bit words: words 4c..4c+3 of the sequence.
struct GeneratorState {
  std::uint64_t seed = 0;
  std::uint64_t subsequence = 0;
  std::uint64_t block = 0;  // next unused block
};

// Draws `count` numbers from blocks state->block + block_offset on; number i comes from word i of that range (uniform),
// or from words 4(i/4)..4(i/4)+3 (normal: Box-Muller, see backends/cpu/kernels/philox.hpp). Does not change the state.
// A draw of n numbers uses (n + 3) / 4 blocks, the rest of the last block is dropped.
struct RandomArgs {
  const GeneratorState* state;
  std::uint64_t block_offset;  // blocks drawn earlier in the same list
  void* out;
  std::uint64_t count;
};

struct AdvanceArgs {
  GeneratorState* state;
  std::uint64_t blocks;
};

struct FillArgs {
  void* out;
  std::uint64_t count;
  std::uint64_t value_bits;  // the scalar's bits in the low part
};

struct TimestampArgs {
  std::uint64_t* out;  // nanoseconds on a clock that never goes back; only differences mean anything
};

// A user's function that is executed, or that launches work of its own, in the place of a kernel.
struct CustomCommand {
  std::string name;
  std::function<void(void* native_handle)> run;  // Queue::native_handle(); may throw: the list then fails
};

struct CustomArgs {
  const CustomCommand* command;  // kept by the list
};

// Copies bytes that the list has staged (CommandList::stage): by place, not by address, so that the same recording
// gives the same words.
struct UploadArgs {
  void* out;
  std::uint64_t slot;
  std::uint64_t offset;  // in the slot, bytes
  std::uint64_t bytes;
};

// Between memory that the caller owns or keeps.
struct CopyBytesArgs {
  void* out;
  const void* in;
  std::uint64_t bytes;
};

// One dimension of a loop over up to three operands; strides in elements, 0 where an input is broadcast.
struct LoopDim {
  std::int64_t extent;
  std::int64_t out_stride;
  std::int64_t a_stride;
  std::int64_t b_stride;
};

// out[...] = f(a[...], b[...]); dims from the outermost to the innermost, only the first `rank` are encoded. The
// recorder merges dimensions where it can: contiguous operands give rank 1 and strides of 1, a scalar rank 0. No extent
// is 0. `b` is null for kernels of one input. Out may be the same memory as an input with the same strides.
struct ElementwiseArgs {
  void* out;
  const void* a;
  const void* b;
  std::uint64_t rank;
  LoopDim dims[kMaxRank];
};

// out[i] = op(a[i]) * op(b[i]) (+ bias) for i < batch: row-major m x n = (m x k) times (k x n). op transposes where the
// flag is set, in which case the stored matrix is k x m (n x k). lda, ldb: elements between stored rows. out is
// contiguous. bias: n numbers added to each row, or null. k = 0 yields zeros (plus bias); m, n, batch > 0. workspace:
// stream-ordered device memory of at least Device::workspace_bytes() for this command; null if that is 0.
struct MatmulArgs {
  const void* a;
  const void* b;
  const void* bias;
  void* out;
  void* workspace;
  std::int64_t m, n, k, batch;
  std::int64_t lda, ldb;
  std::int64_t a_batch_stride, b_batch_stride;  // 0: the same matrix for every i
  std::uint32_t transpose_a, transpose_b;
};

// out[o, i] = sum (or mean) over r of in[o, r, i]; `in` contiguous with shape outer x reduced x inner, out outer x
// inner. reduced = 0 yields 0 for a sum. The order of additions depends on the shape only.
// workspace: as for MatmulArgs.
struct ReduceArgs {
  const void* in;
  void* out;
  std::int64_t outer, reduced, inner;
  void* workspace = nullptr;
};

// out + i * bytes <- in[i], `bytes` each, for i < count; only the first `count` operands are encoded.
inline constexpr std::size_t kStackMost = 64;
struct StackArgs {
  void* out;
  std::uint64_t bytes;
  std::uint64_t count;
  const void* in[kStackMost];
};

// How many bytes of an argument struct are encoded: unused dimensions and operands at its end are left out.
template <class Args>
constexpr std::size_t encoded_bytes(const Args&) noexcept {
  return sizeof(Args);
}
inline std::size_t encoded_bytes(const ElementwiseArgs& args) noexcept {
  return offsetof(ElementwiseArgs, dims) + args.rank * sizeof(LoopDim);
}
inline std::size_t encoded_bytes(const StackArgs& args) noexcept {
  return offsetof(StackArgs, in) + args.count * sizeof(void*);
}

// The arguments of a kernel: ArgsOf<KernelId::kFill> is FillArgs.
template <KernelId id>
struct ArgsOfKernel;
#define HEDDLE_KERNEL(Id, name, Args)    \
  template <>                            \
  struct ArgsOfKernel<KernelId::k##Id> { \
    using Type = Args;                   \
  };
#include "heddle/device/kernels-inl.h"
template <KernelId id>
using ArgsOf = typename ArgsOfKernel<id>::Type;

}  // namespace HEDDLE_NS
