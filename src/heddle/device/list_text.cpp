#include "heddle/device/list_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "heddle/device/operands.hpp"

namespace HEDDLE_NS {
namespace {

std::string_view short_name(Dtype dtype) noexcept {
  constexpr std::string_view kNames[kDtypeCount] = {"f32", "f16", "bf16"};
  const auto index = static_cast<std::size_t>(dtype);
  return index < kDtypeCount ? kNames[index] : std::string_view("?");
}

// What follows the kernel's name, for each struct of arguments.

std::string describe(const CommandHeader& command, const RandomArgs& args) {
  return fmt::format("{} [{}]", short_name(command.dtype), args.count);
}

std::string describe(const CommandHeader&, const AdvanceArgs& args) { return fmt::format("{} blocks", args.blocks); }

std::string describe(const CommandHeader& command, const FillArgs& args) {
  return fmt::format("{} [{}] with {:#010x}", short_name(command.dtype), args.count, args.value_bits);
}

std::string describe(const CommandHeader&, const TimestampArgs&) { return {}; }

std::string describe(const CommandHeader&, const CustomArgs& args) {
  return args.command != nullptr ? fmt::format("'{}'", args.command->name) : std::string();
}

std::string describe(const CommandHeader&, const UploadArgs& args) { return fmt::format("{} bytes", args.bytes); }

std::string describe(const CommandHeader&, const CopyBytesArgs& args) { return fmt::format("{} bytes", args.bytes); }

// The loop's extents, and the strides of what is not dense: "f32 [4,3] strides b [0,1]".
std::string describe(const CommandHeader& command, const ElementwiseArgs& args) {
  const std::span<const LoopDim> dims(args.dims, args.rank);
  std::vector<std::int64_t> extents(dims.size()), dense(dims.size());
  std::int64_t step = 1;
  for (std::size_t dim = dims.size(); dim-- > 0;) {
    extents[dim] = dims[dim].extent;
    dense[dim] = step;
    step *= dims[dim].extent;
  }
  const bool casts = command.source != command.dtype;
  std::string text = casts ? fmt::format("{} to {}", short_name(command.source), short_name(command.dtype))
                           : std::string(short_name(command.dtype));
  text += fmt::format(" [{}]", fmt::join(extents, ","));
  const auto add_strides = [&](const char* name, const void* address, std::int64_t LoopDim::* stride) {
    std::vector<std::int64_t> strides;
    for (const LoopDim& dim : dims) strides.push_back(dim.*stride);
    if (address != nullptr && strides != dense) text += fmt::format(" strides {} [{}]", name, fmt::join(strides, ","));
  };
  add_strides("out", args.out, &LoopDim::out_stride);
  add_strides("a", args.a, &LoopDim::a_stride);
  add_strides("b", args.b, &LoopDim::b_stride);
  return text;
}

std::string describe(const CommandHeader& command, const MatmulArgs& args) {
  const std::string batch = args.batch != 1 ? fmt::format("{} of ", args.batch) : std::string();
  std::string text = fmt::format("{} {}[{},{}]{} x [{},{}]{}", short_name(command.dtype), batch, args.m, args.k,
                                 args.transpose_a != 0 ? "T" : "", args.k, args.n, args.transpose_b != 0 ? "T" : "");
  if (args.bias != nullptr) text += fmt::format(" + [{}]", args.n);
  return text;
}

std::string describe(const CommandHeader& command, const ReduceArgs& args) {
  return fmt::format("{} [{},{},{}] over 1", short_name(command.dtype), args.outer, args.reduced, args.inner);
}

std::string describe(const CommandHeader& command, const StackArgs& args) {
  return fmt::format("{} {} of {} bytes", short_name(command.dtype), args.count, args.bytes);
}

struct Word {
  std::string_view name;
  std::size_t bytes = 8;
  bool is_address = false;
};

// What stands at this byte of the command's arguments.
Word word_at(const CommandView& command, std::size_t offset) {
  Word word;
  with_args(command, [&]<class Args>(const Args&) {
    for (const Field<Args>& field : Layout<Args>::kFields) {
      if (field.offset == offset) word = {field.name, field.bytes, field.is_address()};
    }
    if (word.name.empty()) {
      word = {Layout<Args>::kTailName, 8, requires {Layout<Args>::kTailField;
    }};
}
});
return word;
}

std::uint64_t bits_at(const CommandView& command, std::size_t offset, std::size_t bytes) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, reinterpret_cast<const std::byte*>(command.words() + 1) + offset, bytes);
  return bits;
}

std::size_t args_bytes(const CommandView& command) noexcept { return (command.header().words - std::size_t{1}) * 8; }

ListDifference differs(std::size_t number, const CommandView& command, std::string_view field, std::string_view a,
                       std::string_view b) {
  return {number, field, false, fmt::format("command {} ({}): {} is {} and {}", number, text_of(command), field, a, b)};
}

std::optional<ListDifference> first_difference(std::size_t number, const CommandView& a, const CommandView& b) {
  if (a.kernel() != b.kernel()) return differs(number, a, "kernel", kernel_name(a.kernel()), kernel_name(b.kernel()));
  if (a.dtype() != b.dtype()) return differs(number, a, "dtype", name_of(a.dtype()), name_of(b.dtype()));
  if (a.source() != b.source()) return differs(number, a, "source", name_of(a.source()), name_of(b.source()));
  const std::size_t end = std::min(args_bytes(a), args_bytes(b));
  for (std::size_t offset = 0; offset < end;) {
    const Word word = word_at(a, offset);
    const std::uint64_t left = bits_at(a, offset, word.bytes), right = bits_at(b, offset, word.bytes);
    if (left != right) {
      ListDifference result =
          word.is_address ? differs(number, a, word.name, fmt::format("{:#x}", left), fmt::format("{:#x}", right))
                          : differs(number, a, word.name, fmt::format("{}", static_cast<std::int64_t>(left)),
                                    fmt::format("{}", static_cast<std::int64_t>(right)));
      result.is_address = word.is_address;
      return result;
    }
    offset += word.bytes;
  }
  return std::nullopt;
}

}  // namespace

std::string text_of(const CommandView& command) {
  std::string text(kernel_name(command.kernel()));
  with_args(command, [&](const auto& args) {
    if (const std::string rest = describe(command.header(), args); !rest.empty()) text += " " + rest;
  });
  return text;
}

std::string text_of(const CommandList& list) {
  std::string text;
  for (const std::uint64_t* at = list.begin(); at != list.end(); at = CommandView(at).next()) {
    text += text_of(CommandView(at)) + "\n";
  }
  return text;
}

std::optional<ListDifference> first_difference(const CommandList& a, const CommandList& b) {
  const std::uint64_t* left = a.begin();
  const std::uint64_t* right = b.begin();
  for (std::size_t number = 0; left != a.end() && right != b.end(); ++number) {
    const CommandView from_a(left), from_b(right);
    if (std::optional<ListDifference> difference = first_difference(number, from_a, from_b)) return difference;
    left = from_a.next();
    right = from_b.next();
  }
  if (left == a.end() && right == b.end()) return std::nullopt;
  return ListDifference{std::min(a.commands(), b.commands()), "commands", false,
                        fmt::format("{} commands and {} commands", a.commands(), b.commands())};
}

}  // namespace HEDDLE_NS
