#include "heddle/device/command_list.hpp"

#include <algorithm>

#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS {

void CommandList::append(Command<UploadArgs> command, std::shared_ptr<const std::byte> from) {
  const auto bytes = static_cast<std::size_t>(command.args.bytes);
  slots_.push_back({std::const_pointer_cast<std::byte>(std::move(from)), bytes, bytes});
  command.args.slot = slots_.size() - 1;
  command.args.offset = 0;
  try {
    append(command);
  } catch (...) {
    slots_.pop_back();
    throw;
  }
  staged_bytes_ += bytes;
}

void CommandList::clear() noexcept {
  used_ = 0;
  commands_ = 0;
  staged_bytes_ = 0;
  if (slots_.empty() && kept_.empty()) return;
  // Perhaps on a thread of the device, or inside a call on the stream.
  const sync::NoWaiting no_waiting("a destructor of what a command refers to");
  slots_.clear();
  kept_.clear();
}

void CommandList::grow(std::size_t words) {
  words_.resize(std::max<std::size_t>({std::size_t{256}, words_.size() * 2, used_ + words}));
}

}  // namespace HEDDLE_NS
