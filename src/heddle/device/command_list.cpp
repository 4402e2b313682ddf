#include "heddle/device/command_list.hpp"

#include <algorithm>
#include <new>

#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS {

inline constexpr std::align_val_t kStagingAlignment{64};

void CommandList::AlignedDelete::operator()(std::byte* memory) const noexcept {
  ::operator delete(memory, kStagingAlignment);
}

std::byte* CommandList::stage(std::size_t bytes) {
  std::unique_ptr<std::byte, AlignedDelete> memory(static_cast<std::byte*>(::operator new(bytes, kStagingAlignment)));
  staged_.push_back(std::move(memory));
  staged_bytes_ += bytes;
  return staged_.back().get();
}

void CommandList::clear() noexcept {
  used_ = 0;
  commands_ = 0;
  staged_bytes_ = 0;
  staged_.clear();
  if (kept_.empty()) return;
  // Perhaps on a thread of the device, or inside a call on the stream.
  const sync::NoWaiting no_waiting("a destructor of what a command refers to");
  kept_.clear();
}

void CommandList::grow(std::size_t words) {
  words_.resize(std::max<std::size_t>({std::size_t{256}, words_.size() * 2, used_ + words}));
}

}  // namespace HEDDLE_NS
