// Scopes in which a thread must not wait for the device, a stream or another thread: completion handlers and custom
// operations, which the library runs on threads that others depend on.
//
// Thread safety: an object on one thread's stack; the state is thread-local.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS::sync {

class NoWaiting {
 public:
  enum class Also : unsigned char { kNothing, kNoRecording };
  // `place` names the scope in error texts ("a completion handler"); a string literal. kNoRecording also forbids
  // recording commands, because the thread may be in the middle of a recording.
  explicit NoWaiting(const char* place, Also also = Also::kNothing) noexcept : outer_(current()) {
    current() = {place, also};
  }
  ~NoWaiting() { current() = outer_; }
  NoWaiting(const NoWaiting&) = delete;
  NoWaiting& operator=(const NoWaiting&) = delete;

  static bool active() noexcept { return current().place != nullptr; }
  // For error texts. Null where waiting is allowed.
  static const char* place() noexcept { return current().place; }
  static bool recording_forbidden() noexcept { return current().also == Also::kNoRecording; }
  // Throws WouldBlock with `what` and the place. Does nothing where waiting is allowed.
  static void refuse(const char* what) {
    if (active()) [[unlikely]]
      throw_would_block(what);
  }

 private:
  struct Place {
    const char* place = nullptr;
    Also also = Also::kNothing;
  };
  struct Tag;
  static Place& current() noexcept { return ThreadLocal<Place, Tag>::get(); }
  [[noreturn]] static void throw_would_block(const char* what);

  const Place outer_;
};

}  // namespace HEDDLE_NS::sync
