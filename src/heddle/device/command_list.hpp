// A command list: what one thread recorded since the last commit, as plain bytes.
//
// Layout: commands one after another, each a CommandHeader and its arguments, in 64-bit words. Two lists are equal
// when their words are equal. Host memory that commands read or write (staged input) is owned by the list. Thread
// safety: none; a list belongs to the recording thread, then to the backend's queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/base/namespace.hpp"
#include "heddle/device/command.hpp"

namespace HEDDLE_NS {

// Host memory that a command refers to: it stays until the device has finished the list that the command is in, and
// `bytes` of it count as that list's.
struct Kept {
  std::shared_ptr<const void> object;
  std::size_t bytes = 0;
};

class CommandList {
 public:
  // Throws bad_alloc; nothing is changed then.
  template <CommandArgs Args>
  void append(const Command<Args>& command) {
    const std::size_t bytes = encoded_bytes(command.args);
    const std::size_t words = 1 + bytes / 8;
    if (used_ + words > words_.size()) grow(words);
    CommandHeader header = command.header;
    header.words = static_cast<std::uint16_t>(words);
    std::uint64_t* at = words_.data() + used_;
    std::memcpy(at, &header, sizeof(header));
    std::memcpy(at + 1, &command.args, bytes);
    used_ += words;
    ++commands_;
  }
  template <CommandArgs Args>
  void append(const Command<Args>& command, Kept kept) {
    const bool keeps = kept.object != nullptr;
    if (keeps) kept_.push_back(std::move(kept.object));
    try {
      append(command);
    } catch (...) {
      if (keeps) kept_.pop_back();
      throw;
    }
    staged_bytes_ += kept.bytes;
  }
  template <CommandArgs Args>
  void append(KernelId kernel, const Args& args, Dtype dtype = Dtype::kFloat32) {
    append(Command<Args>(kernel, args, dtype));
  }
  template <CommandArgs Args>
  void append(KernelId kernel, const Args& args, Kept kept) {
    append(Command<Args>(kernel, args), std::move(kept));
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
  // Equal commands with equal arguments, so that one could run in the place of the other; list_text.hpp says where two
  // lists differ.
  friend bool operator==(const CommandList& a, const CommandList& b) noexcept {
    return a.used_ == b.used_ && std::memcmp(a.begin(), b.begin(), a.used_ * 8) == 0;
  }

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
