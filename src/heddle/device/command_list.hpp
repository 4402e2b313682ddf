// A command list: what one thread recorded since the last commit, as plain bytes.
//
// Layout: commands one behind another, each a CommandHeader and its arguments, in 64-bit words. Two lists are equal
// when their words are equal. Host memory that commands read or write (staged input) is owned by the list. Thread
// safety: none; a list belongs to the recording thread, then to the backend's queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/base/namespace.hpp"
#include "heddle/device/dtype.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/device/kernel_id.hpp"

namespace HEDDLE_NS {

struct CommandHeader {
  KernelId kernel;
  std::uint16_t words;  // of the whole command, header included
  Dtype dtype;          // of the result, and of the operands where nothing else is said
  Dtype source;         // kCast: of the operand
  std::uint8_t reserved[2];
};
static_assert(sizeof(CommandHeader) == 8);

// A decoded position in a list. Arguments are copied out: encoded ones may be shorter than their struct.
class CommandView {
 public:
  explicit CommandView(const std::uint64_t* words) noexcept : words_(words) { std::memcpy(&header_, words, 8); }
  const CommandHeader& header() const noexcept { return header_; }
  KernelId kernel() const noexcept { return header_.kernel; }
  Dtype dtype() const noexcept { return header_.dtype; }
  Dtype source() const noexcept { return header_.source; }
  const std::uint64_t* next() const noexcept { return words_ + header_.words; }

  template <class Args>
  Args args() const noexcept {
    static_assert(std::is_trivially_copyable_v<Args>);
    Args result{};
    const std::size_t bytes = (header_.words - std::size_t{1}) * 8;
    std::memcpy(static_cast<void*>(&result), words_ + 1, bytes < sizeof(Args) ? bytes : sizeof(Args));
    return result;
  }

 private:
  const std::uint64_t* words_;
  CommandHeader header_;
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

// Host memory that a command refers to: it stays until the device has finished the list that the command is in, and
// `bytes` of it count as that list's.
struct Kept {
  std::shared_ptr<const void> object;
  std::size_t bytes = 0;
};

class CommandList {
 public:
  // Throws bad_alloc; nothing is changed then.
  template <class Args>
  void append(KernelId kernel, const Args& args, Dtype dtype = Dtype::kFloat32) {
    append(kernel, args, dtype, dtype);
  }
  template <class Args>
  void append(KernelId kernel, const Args& args, Dtype dtype, Dtype source) {
    static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) % 8 == 0);
    const std::size_t bytes = encoded_bytes(args);
    const std::size_t words = 1 + bytes / 8;
    if (used_ + words > words_.size()) grow(words);
    const CommandHeader header{kernel, static_cast<std::uint16_t>(words), dtype, source, {}};
    std::uint64_t* at = words_.data() + used_;
    std::memcpy(at, &header, sizeof(header));
    std::memcpy(at + 1, &args, bytes);
    used_ += words;
    ++commands_;
  }
  template <class Args>
  void append(KernelId kernel, const Args& args, Kept kept) {
    const bool keeps = kept.object != nullptr;
    if (keeps) kept_.push_back(std::move(kept.object));
    try {
      append(kernel, args);
    } catch (...) {
      if (keeps) kept_.pop_back();
      throw;
    }
    staged_bytes_ += kept.bytes;
  }

  // Host memory that stays valid until the device has finished this list. Aligned to 64 bytes.
  std::byte* stage(std::size_t bytes);

  bool empty() const noexcept { return commands_ == 0; }
  // False: nothing that a command points to belongs to this list.
  bool owns_operands() const noexcept { return !staged_.empty() || !kept_.empty(); }
  std::size_t commands() const noexcept { return commands_; }
  std::size_t bytes() const noexcept { return used_ * 8 + staged_bytes_; }
  const std::uint64_t* begin() const noexcept { return words_.data(); }
  const std::uint64_t* end() const noexcept { return words_.data() + used_; }

  // Empties the list and keeps its command memory for the next use; staged memory is freed, and what is kept for
  // commands is let go of, where no destructor may wait.
  void clear() noexcept;

 private:
  struct AlignedDelete {
    void operator()(std::byte* memory) const noexcept;
  };
  void grow(std::size_t words);

  std::vector<std::uint64_t> words_;
  std::size_t used_ = 0;
  std::size_t commands_ = 0;
  std::size_t staged_bytes_ = 0;
  std::vector<std::unique_ptr<std::byte, AlignedDelete>> staged_;
  std::vector<std::shared_ptr<const void>> kept_;
};

}  // namespace HEDDLE_NS
