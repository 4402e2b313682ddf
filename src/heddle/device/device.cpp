#include "heddle/device/device.hpp"

#include <fmt/format.h>

#include <cstring>
#include <new>

namespace HEDDLE_NS {

Status Device::build(Queue&, const CommandList&, std::unique_ptr<Replayable>*) {
  return {ErrorKind::kUnsupported, fmt::format("the {} backend does not replay lists", info().backend)};
}

Status Device::launch(Queue&, Replayable&, Ticket, SubmitHint) {
  return {ErrorKind::kUnsupported, fmt::format("the {} backend does not replay lists", info().backend)};
}

std::shared_ptr<std::byte> Device::allocate_host(std::size_t bytes) {
  constexpr std::align_val_t kAlignment{64};
  return {static_cast<std::byte*>(::operator new(bytes, kAlignment)),
          [](std::byte* memory) { ::operator delete(memory, kAlignment); }};
}

std::size_t Device::workspace_bytes(const CommandView&) { return 0; }

Status Device::read_memory(void* out, const void* from, std::size_t bytes) {
  std::memcpy(out, from, bytes);
  return {};
}

Status Device::preload() { return {}; }

Status Device::lost() const { return {}; }

void Device::poll() {}

bool Device::busy() const { return false; }

}  // namespace HEDDLE_NS
