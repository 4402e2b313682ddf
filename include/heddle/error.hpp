// The exceptions that heddle throws, and the value that carries an error below the public surface.
//
// Each text names the request, the situation and the remedy. Layers below `tensor` that must not throw (backends,
// threads, release functions) return a Status; the public surface turns it into the matching exception with raise().
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "heddle/detail/namespace.hpp"

namespace heddle {

enum class ErrorKind : unsigned char {
  kOk,
  kInvalidArgument,  // the caller's input is wrong; nothing was recorded or changed
  kOutOfMemory,      // the budget or the device has no room; a failed allocation changes nothing
  kPoolExhausted,    // no stream became free within the deadline
  kNotCommitted,     // an operand's producer has recorded but not committed it
  kWouldBlock,       // the call would wait in a place where waiting is forbidden
  kDeviceLost,       // sticky device fault: nothing more can run on this device
  kDeviceError,      // the backend reported an error for one list; the stream skips until synchronize()
  kClosed,           // the runtime is shutting down or shut down
  kForked,           // used in a forked child
  kTimeout,          // a deadline passed
  kUnsupported,      // this backend, build or system lacks the requested feature
  kAbandoned,        // the runtime shut down before the work was done
};

HEDDLE_API std::string_view name_of(ErrorKind kind) noexcept;

// Base of every exception heddle throws. Thread-safe to copy and to rethrow in another thread.
class HEDDLE_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

template <ErrorKind Kind>
class HEDDLE_API ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& text) : Error(Kind, text) {}
};

using InvalidArgument = ErrorOf<ErrorKind::kInvalidArgument>;
using OutOfMemory = ErrorOf<ErrorKind::kOutOfMemory>;
using PoolExhausted = ErrorOf<ErrorKind::kPoolExhausted>;
using NotCommitted = ErrorOf<ErrorKind::kNotCommitted>;
using WouldBlock = ErrorOf<ErrorKind::kWouldBlock>;
using DeviceLost = ErrorOf<ErrorKind::kDeviceLost>;
using DeviceError = ErrorOf<ErrorKind::kDeviceError>;
using Closed = ErrorOf<ErrorKind::kClosed>;
using Forked = ErrorOf<ErrorKind::kForked>;
using Timeout = ErrorOf<ErrorKind::kTimeout>;
using Unsupported = ErrorOf<ErrorKind::kUnsupported>;
using Abandoned = ErrorOf<ErrorKind::kAbandoned>;

// An error as a value: ok, or a kind with its text. Cheap to copy; the text is shared and immutable.
//
// Making one never throws, because errors are reported where nothing more may fail. If host memory has no room for the
// text, a fixed text says so.
class [[nodiscard]] HEDDLE_API Status {
 public:
  Status() noexcept = default;
  Status(ErrorKind kind, std::string text) noexcept;
  // make_text() -> std::string. Also safe if making the text runs out of host memory.
  template <class MakeText>
    requires std::is_invocable_r_v<std::string, MakeText>
  Status(ErrorKind kind, const MakeText& make_text) noexcept : Status(kind, text_or_none(make_text)) {}
  template <std::size_t kSize>
  Status(ErrorKind kind, const char (&text)[kSize]) noexcept : Status(kind, [&] { return std::string(text); }) {}

  bool ok() const noexcept { return kind_ == ErrorKind::kOk; }
  ErrorKind kind() const noexcept { return kind_; }
  std::string_view text() const noexcept {
    if (text_ != nullptr) return *text_;
    return ok() ? std::string_view() : std::string_view("host memory ran out while this error was reported");
  }

  // The same text as an error of another kind. REQUIRES: not ok.
  Status as(ErrorKind kind) const noexcept {
    Status other = *this;
    other.kind_ = kind;
    return other;
  }

  // Throws the exception that matches kind(). Does nothing when ok().
  void raise() const;

 private:
  template <class MakeText>
  static std::string text_or_none(const MakeText& make_text) noexcept {
    try {
      return make_text();
    } catch (const std::bad_alloc&) {
      return {};
    }
  }

  ErrorKind kind_ = ErrorKind::kOk;
  std::shared_ptr<const std::string> text_;
};

// Throws the exception type of `kind` with `text`.
[[noreturn]] HEDDLE_API void throw_error(ErrorKind kind, const std::string& text);

}  // namespace heddle
