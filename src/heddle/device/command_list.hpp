// A command list: what one thread recorded since the last commit, as plain bytes.
//
// Layout: commands one after another, each a CommandHeader and its arguments, in 64-bit words. Two lists are equal
// when their words are equal. Host memory that commands read is staged in slots that the list owns, and named by slot
// and offset: equal recordings give equal words, wherever that memory lies. Thread safety: none; a list belongs to the
// recording thread, then to the backend's queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/base/check.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/command.hpp"
#include "heddle/dtype.hpp"

namespace HEDDLE_NS {

// Host memory that a command refers to: it stays until the device has finished the list that the command is in, and
// `bytes` of it count as that list's.
struct Kept {
  std::shared_ptr<const void> object;
  std::size_t bytes = 0;
};

class CommandList {
 public:
  CommandList() = default;
  CommandList(CommandList&&) noexcept = default;
  CommandList& operator=(CommandList&&) noexcept = default;

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
  // An upload from `from`, which becomes a slot of its own. The command gets the slot's number.
  void append(Command<UploadArgs> command, std::shared_ptr<const std::byte> from);
  template <CommandArgs Args>
  void append(KernelId kernel, const Args& args, Dtype dtype = Dtype::kFloat32) {
    append(Command<Args>(kernel, args, dtype));
  }
  template <CommandArgs Args>
  void append(KernelId kernel, const Args& args, Kept kept) {
    append(Command<Args>(kernel, args), std::move(kept));
  }

  // Room for `bytes` of host data until the device has finished this list, aligned to 64 bytes. `allocate(bytes)` gives
  // a std::shared_ptr<std::byte>, where no slot has room. Which place this is depends only on the sizes staged before.
  struct Place {
    std::uint64_t slot;
    std::uint64_t offset;
    std::byte* memory;
  };
  template <class Allocate>
  Place stage(std::size_t bytes, const Allocate& allocate) {
    const std::size_t rounded = (bytes + kStagingAlignment - 1) / kStagingAlignment * kStagingAlignment;
    if (slots_.empty() || slots_.back().size - slots_.back().used < rounded) {
      const std::size_t size = rounded > kSlotBytes ? rounded : kSlotBytes;
      slots_.push_back({allocate(size), size, 0});
    }
    Slot& slot = slots_.back();
    const std::size_t offset = slot.used;
    slot.used += rounded;
    staged_bytes_ += bytes;
    return {slots_.size() - 1, offset, slot.memory.get() + offset};
  }
  const std::byte* staged(std::uint64_t slot, std::uint64_t offset) const noexcept {
    HEDDLE_DCHECK(slot < slots_.size() && offset < slots_[slot].size,
                  "a command reads a place that its list has not staged");
    return slots_[slot].memory.get() + offset;
  }

  bool empty() const noexcept { return commands_ == 0; }
  // False: nothing that a command points to belongs to this list.
  bool owns_operands() const noexcept { return !slots_.empty() || !kept_.empty(); }
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
  static constexpr std::size_t kStagingAlignment = 64;
  static constexpr std::size_t kSlotBytes = 4096;  // of a slot that several uploads share
  struct Slot {
    std::shared_ptr<std::byte> memory;
    std::size_t size;
    std::size_t used;
  };
  void grow(std::size_t words);

  std::vector<std::uint64_t> words_;
  std::size_t used_ = 0;
  std::size_t commands_ = 0;
  std::size_t staged_bytes_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::shared_ptr<const void>> kept_;
};

}  // namespace HEDDLE_NS
