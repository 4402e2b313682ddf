#include "heddle/error.hpp"

#include <utility>

#include "heddle/base/check.hpp"

namespace heddle {

std::string_view name_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kOk: return "ok";
    case ErrorKind::kInvalidArgument: return "invalid argument";
    case ErrorKind::kOutOfMemory: return "out of memory";
    case ErrorKind::kPoolExhausted: return "pool exhausted";
    case ErrorKind::kNotCommitted: return "not committed";
    case ErrorKind::kWouldBlock: return "would block";
    case ErrorKind::kDeviceLost: return "device lost";
    case ErrorKind::kDeviceError: return "device error";
    case ErrorKind::kClosed: return "closed";
    case ErrorKind::kForked: return "forked";
    case ErrorKind::kTimeout: return "timeout";
    case ErrorKind::kUnsupported: return "unsupported";
    case ErrorKind::kAbandoned: return "abandoned";
  }
  return "unknown";
}

Status::Status(ErrorKind kind, std::string text) noexcept : kind_(kind) {
  HEDDLE_CHECK(kind != ErrorKind::kOk, "a Status with a text is an error");
  if (text.empty()) return;
  try {
    text_ = std::make_shared<const std::string>(std::move(text));
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the error stays without a text
    // text() says so.
  }
}

void Status::raise() const {
  if (!ok()) throw_error(kind_, std::string(text()));
}

void throw_error(ErrorKind kind, const std::string& text) {
  switch (kind) {
    case ErrorKind::kInvalidArgument: throw InvalidArgument(text);
    case ErrorKind::kOutOfMemory: throw OutOfMemory(text);
    case ErrorKind::kPoolExhausted: throw PoolExhausted(text);
    case ErrorKind::kNotCommitted: throw NotCommitted(text);
    case ErrorKind::kWouldBlock: throw WouldBlock(text);
    case ErrorKind::kDeviceLost: throw DeviceLost(text);
    case ErrorKind::kDeviceError: throw DeviceError(text);
    case ErrorKind::kClosed: throw Closed(text);
    case ErrorKind::kForked: throw Forked(text);
    case ErrorKind::kTimeout: throw Timeout(text);
    case ErrorKind::kUnsupported: throw Unsupported(text);
    case ErrorKind::kAbandoned: throw Abandoned(text);
    case ErrorKind::kOk: break;
  }
  check_failed("kind is an error", "throw_error called without an error", __FILE__, __LINE__);
}

}  // namespace heddle
