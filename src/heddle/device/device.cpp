#include "heddle/device/device.hpp"

#include <fmt/format.h>

namespace HEDDLE_NS {

Status Device::build(Queue&, const CommandList&, std::unique_ptr<Replayable>*) {
  return {ErrorKind::kUnsupported, fmt::format("the {} backend does not replay lists", info().backend)};
}

Status Device::launch(Queue&, Replayable&, Ticket, SubmitHint) {
  return {ErrorKind::kUnsupported, fmt::format("the {} backend does not replay lists", info().backend)};
}

Status Device::preload() { return {}; }

Status Device::lost() const { return {}; }

}  // namespace HEDDLE_NS
