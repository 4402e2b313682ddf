// What the words of each kernel's arguments mean: Layout<Args>. Which are addresses, whether the kernel reads or writes
// there, and how far it reaches; the others are scalars. Every word has its field, or this does not compile.
//
// Thread safety: constants and functions without state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/command.hpp"
#include "heddle/device/kernel_args.hpp"

namespace HEDDLE_NS {

enum class Access : std::uint8_t { kReads, kWrites, kUpdates };

// The bytes [first, last) from an operand's address on that a command touches; none where they are equal.
struct Reach {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool empty() const noexcept { return first >= last; }
};

template <class Args>
struct Field {
  using ReachOf = Reach (*)(const Args&, const CommandHeader&) noexcept;
  std::string_view name;
  std::size_t offset = 0;  // from the start of the arguments
  std::size_t bytes = 8;
  ReachOf reach = nullptr;  // null: a scalar
  Access access = Access::kReads;

  constexpr bool is_address() const noexcept { return reach != nullptr; }
};

// --- how far ---

constexpr Reach bytes_reach(std::uint64_t bytes) noexcept { return {0, static_cast<std::int64_t>(bytes)}; }

// `count` pieces of `reach`, `stride` bytes apart.
constexpr Reach repeated(Reach reach, std::int64_t count, std::int64_t stride) noexcept {
  if (count <= 0 || reach.empty()) return {};
  const std::int64_t span = (count - 1) * stride;
  return span < 0 ? Reach{reach.first + span, reach.last} : Reach{reach.first, reach.last + span};
}

constexpr Reach loop_reach(const ElementwiseArgs& args, std::int64_t LoopDim::* stride, std::size_t element) noexcept {
  const auto size = static_cast<std::int64_t>(element);
  Reach reach{0, size};
  for (std::uint64_t i = 0; i < args.rank; ++i)
    reach = repeated(reach, args.dims[i].extent, args.dims[i].*stride * size);
  return reach;
}

// `batch` stored matrices of rows x columns.
constexpr Reach matrix_reach(std::int64_t rows, std::int64_t columns, std::int64_t ld, std::int64_t batch,
                             std::int64_t batch_stride, Dtype dtype) noexcept {
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  return repeated(repeated({0, columns * size}, rows, ld * size), batch, batch_stride * size);
}

// Scratch memory, whose size only the device knows: its first byte.
constexpr Reach scratch_reach() noexcept { return {0, 1}; }

// --- the fields of each struct, in the order of its words ---

template <class Args>
struct Layout;

// The words after the fields, where a struct ends with an array of which commands encode only a part.
struct NoTail {
  static constexpr std::string_view kTailName = "";
};

template <>
struct Layout<RandomArgs> : NoTail {
  static constexpr std::array<Field<RandomArgs>, 4> kFields{{
      {"state", offsetof(RandomArgs, state), 8,
       [](const RandomArgs&, const CommandHeader&) noexcept { return bytes_reach(sizeof(GeneratorState)); }},
      {"block_offset", offsetof(RandomArgs, block_offset)},
      {"out", offsetof(RandomArgs, out), 8,
       [](const RandomArgs& args, const CommandHeader&) noexcept { return bytes_reach(args.count * sizeof(float)); },
       Access::kWrites},
      {"count", offsetof(RandomArgs, count)},
  }};
};

template <>
struct Layout<AdvanceArgs> : NoTail {
  static constexpr std::array<Field<AdvanceArgs>, 2> kFields{{
      {"state", offsetof(AdvanceArgs, state), 8,
       [](const AdvanceArgs&, const CommandHeader&) noexcept { return bytes_reach(sizeof(GeneratorState)); },
       Access::kUpdates},
      {"blocks", offsetof(AdvanceArgs, blocks)},
  }};
};

template <>
struct Layout<FillArgs> : NoTail {
  static constexpr std::array<Field<FillArgs>, 3> kFields{{
      {"out", offsetof(FillArgs, out), 8,
       [](const FillArgs& args, const CommandHeader&) noexcept { return bytes_reach(args.count * sizeof(float)); },
       Access::kWrites},
      {"count", offsetof(FillArgs, count)},
      {"value_bits", offsetof(FillArgs, value_bits)},
  }};
};

template <>
struct Layout<TimestampArgs> : NoTail {
  static constexpr std::array<Field<TimestampArgs>, 1> kFields{{
      {"out", offsetof(TimestampArgs, out), 8,
       [](const TimestampArgs&, const CommandHeader&) noexcept { return bytes_reach(sizeof(std::uint64_t)); },
       Access::kWrites},
  }};
};

// What the function reads and writes is said when the command is recorded.
template <>
struct Layout<CustomArgs> : NoTail {
  static constexpr std::array<Field<CustomArgs>, 1> kFields{{{"command", offsetof(CustomArgs, command)}}};
};

template <>
struct Layout<UploadArgs> : NoTail {
  static constexpr std::array<Field<UploadArgs>, 4> kFields{{
      {"out", offsetof(UploadArgs, out), 8,
       [](const UploadArgs& args, const CommandHeader&) noexcept { return bytes_reach(args.bytes); }, Access::kWrites},
      {"slot", offsetof(UploadArgs, slot)},
      {"offset", offsetof(UploadArgs, offset)},
      {"bytes", offsetof(UploadArgs, bytes)},
  }};
};

template <>
struct Layout<CopyBytesArgs> : NoTail {
  static constexpr std::array<Field<CopyBytesArgs>, 3> kFields{{
      {"out", offsetof(CopyBytesArgs, out), 8,
       [](const CopyBytesArgs& args, const CommandHeader&) noexcept { return bytes_reach(args.bytes); },
       Access::kWrites},
      {"in", offsetof(CopyBytesArgs, in), 8,
       [](const CopyBytesArgs& args, const CommandHeader&) noexcept { return bytes_reach(args.bytes); }},
      {"bytes", offsetof(CopyBytesArgs, bytes)},
  }};
};

template <>
struct Layout<ElementwiseArgs> {
  static constexpr std::array<Field<ElementwiseArgs>, 4> kFields{{
      {"out", offsetof(ElementwiseArgs, out), 8,
       [](const ElementwiseArgs& args, const CommandHeader& command) noexcept {
         return loop_reach(args, &LoopDim::out_stride, size_of(command.dtype));
       },
       Access::kWrites},
      {"a", offsetof(ElementwiseArgs, a), 8,
       [](const ElementwiseArgs& args, const CommandHeader& command) noexcept {
         return loop_reach(args, &LoopDim::a_stride, size_of(command.source));
       }},
      {"b", offsetof(ElementwiseArgs, b), 8,
       [](const ElementwiseArgs& args, const CommandHeader& command) noexcept {
         return loop_reach(args, &LoopDim::b_stride, size_of(command.source));
       }},
      {"rank", offsetof(ElementwiseArgs, rank)},
  }};
  static constexpr std::string_view kTailName = "dims";
  static constexpr std::size_t kTail = offsetof(ElementwiseArgs, dims);
};

template <>
struct Layout<MatmulArgs> : NoTail {
  static constexpr std::array<Field<MatmulArgs>, 15> kFields{{
      {"a", offsetof(MatmulArgs, a), 8,
       [](const MatmulArgs& args, const CommandHeader& command) noexcept {
         const bool turned = args.transpose_a != 0;
         return matrix_reach(turned ? args.k : args.m, turned ? args.m : args.k, args.lda, args.batch,
                             args.a_batch_stride, command.dtype);
       }},
      {"b", offsetof(MatmulArgs, b), 8,
       [](const MatmulArgs& args, const CommandHeader& command) noexcept {
         const bool turned = args.transpose_b != 0;
         return matrix_reach(turned ? args.n : args.k, turned ? args.k : args.n, args.ldb, args.batch,
                             args.b_batch_stride, command.dtype);
       }},
      {"bias", offsetof(MatmulArgs, bias), 8,
       [](const MatmulArgs& args, const CommandHeader& command) noexcept {
         return matrix_reach(1, args.n, 0, 1, 0, command.dtype);
       }},
      {"out", offsetof(MatmulArgs, out), 8,
       [](const MatmulArgs& args, const CommandHeader& command) noexcept {
         return matrix_reach(args.m, args.n, args.n, args.batch, args.m * args.n, command.dtype);
       },
       Access::kWrites},
      {"workspace", offsetof(MatmulArgs, workspace), 8,
       [](const MatmulArgs&, const CommandHeader&) noexcept { return scratch_reach(); }, Access::kWrites},
      {"m", offsetof(MatmulArgs, m)},
      {"n", offsetof(MatmulArgs, n)},
      {"k", offsetof(MatmulArgs, k)},
      {"batch", offsetof(MatmulArgs, batch)},
      {"lda", offsetof(MatmulArgs, lda)},
      {"ldb", offsetof(MatmulArgs, ldb)},
      {"a_batch_stride", offsetof(MatmulArgs, a_batch_stride)},
      {"b_batch_stride", offsetof(MatmulArgs, b_batch_stride)},
      {"transpose_a", offsetof(MatmulArgs, transpose_a), 4},
      {"transpose_b", offsetof(MatmulArgs, transpose_b), 4},
  }};
};

template <>
struct Layout<ReduceArgs> : NoTail {
  static constexpr std::array<Field<ReduceArgs>, 6> kFields{{
      {"in", offsetof(ReduceArgs, in), 8,
       [](const ReduceArgs& args, const CommandHeader&) noexcept {
         return matrix_reach(1, args.outer * args.reduced * args.inner, 0, 1, 0, Dtype::kFloat32);
       }},
      {"out", offsetof(ReduceArgs, out), 8,
       [](const ReduceArgs& args, const CommandHeader&) noexcept {
         return matrix_reach(1, args.outer * args.inner, 0, 1, 0, Dtype::kFloat32);
       },
       Access::kWrites},
      {"outer", offsetof(ReduceArgs, outer)},
      {"reduced", offsetof(ReduceArgs, reduced)},
      {"inner", offsetof(ReduceArgs, inner)},
      {"workspace", offsetof(ReduceArgs, workspace), 8,
       [](const ReduceArgs&, const CommandHeader&) noexcept { return scratch_reach(); }, Access::kWrites},
  }};
};

template <>
struct Layout<StackArgs> {
  static constexpr std::array<Field<StackArgs>, 3> kFields{{
      {"out", offsetof(StackArgs, out), 8,
       [](const StackArgs& args, const CommandHeader&) noexcept { return bytes_reach(args.bytes * args.count); },
       Access::kWrites},
      {"bytes", offsetof(StackArgs, bytes)},
      {"count", offsetof(StackArgs, count)},
  }};
  static constexpr std::string_view kTailName = "in";
  static constexpr std::size_t kTail = offsetof(StackArgs, in);
  static constexpr Field<StackArgs> kTailField{
      "in", offsetof(StackArgs, in), 8,
      [](const StackArgs& args, const CommandHeader&) noexcept { return bytes_reach(args.bytes); }};
};

// --- what follows from them ---

namespace detail {

template <class Args>
consteval bool covers_every_word() {
  std::size_t end = 0;
  for (const Field<Args>& field : Layout<Args>::kFields) {
    if (field.offset != end || (field.is_address() && field.bytes != 8)) return false;
    end += field.bytes;
  }
  if constexpr (Layout<Args>::kTailName.empty()) {
    return end == sizeof(Args);
  } else {
    return end == Layout<Args>::kTail;
  }
}

}  // namespace detail

#define HEDDLE_KERNEL(Id, name, Args)                                                          \
  static_assert(CommandArgs<Args> && detail::covers_every_word<Args>(), "the fields of " #Args \
                                                                        ": one for every "     \
                                                                        "word");
#include "heddle/device/kernels-inl.h"

}  // namespace HEDDLE_NS
