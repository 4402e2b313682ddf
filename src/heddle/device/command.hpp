// One command: a header and the arguments of its kernel, as plain words.
//
// Thread safety: values without shared state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/dtype.hpp"

namespace HEDDLE_NS {

struct CommandHeader {
  KernelId kernel;
  std::uint16_t words;  // of the whole command, header included
  Dtype dtype;          // of the result, and of the operands where nothing else is said
  Dtype source;         // kCast: of the operand; otherwise as dtype
  std::uint8_t reserved[2];
};
static_assert(sizeof(CommandHeader) == 8);

// Arguments are compared and hashed as bytes, so that no bit of theirs may be without a meaning.
template <class Args>
concept CommandArgs = std::is_trivially_copyable_v<Args> && std::has_unique_object_representations_v<Args> &&
                      sizeof(Args) % 8 == 0 && alignof(Args) == 8;

// A decoded position in a list. Arguments are copied out: encoded ones may be shorter than their struct.
class CommandView {
 public:
  explicit CommandView(const std::uint64_t* words) noexcept : words_(words) { std::memcpy(&header_, words, 8); }
  const CommandHeader& header() const noexcept { return header_; }
  KernelId kernel() const noexcept { return header_.kernel; }
  Dtype dtype() const noexcept { return header_.dtype; }
  Dtype source() const noexcept { return header_.source; }
  const std::uint64_t* words() const noexcept { return words_; }
  const std::uint64_t* next() const noexcept { return words_ + header_.words; }

  template <CommandArgs Args>
  Args args() const noexcept {
    Args result{};
    const std::size_t bytes = (header_.words - std::size_t{1}) * 8;
    std::memcpy(static_cast<void*>(&result), words_ + 1, bytes < sizeof(Args) ? bytes : sizeof(Args));
    return result;
  }

 private:
  const std::uint64_t* words_;
  CommandHeader header_;
};

// A command that is being put together. Its arguments start without values, unless they are given.
template <CommandArgs Args>
struct Command {
  explicit Command(KernelId kernel, Dtype dtype = Dtype::kFloat32) noexcept : Command(kernel, dtype, dtype) {}
  Command(KernelId kernel, Dtype dtype, Dtype source) noexcept
      : header{kernel, static_cast<std::uint16_t>(1 + sizeof(Args) / 8), dtype, source, {}} {}
  Command(KernelId kernel, const Args& arguments, Dtype dtype = Dtype::kFloat32) noexcept : Command(kernel, dtype) {
    args = arguments;
  }
  // REQUIRES: every argument has its value; the view ends with the command.
  CommandView view() const noexcept {
    static_assert(offsetof(Command, args) == sizeof(CommandHeader));
    return CommandView(reinterpret_cast<const std::uint64_t*>(this));
  }

  CommandHeader header;
  Args args;
};

}  // namespace HEDDLE_NS
