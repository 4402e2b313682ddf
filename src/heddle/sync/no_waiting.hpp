// Places where a thread must not wait for the device, for a stream or for another thread: completion handlers and
// custom operations, which the library runs on threads that others depend on.
//
// Thread safety: an object of one thread's stack; the state is the thread's own.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS::sync {

class NoWaiting {
 public:
  enum class Also : unsigned char { kNothing, kNoRecording };
  // `place` names it in error texts ("a completion handler"); a string literal. kNoRecording: nor may it record
  // commands, because the thread may be in the middle of doing so.
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
  // Throws WouldBlock naming `what` would wait and where. Does nothing where waiting is allowed.
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
