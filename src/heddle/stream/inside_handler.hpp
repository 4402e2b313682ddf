// InsideHandler: the calling thread runs a completion handler of a certain runtime, on the handler thread or in an
// executor. There it may wait for the device, but not for the end of that runtime, which waits for the handler.
//
// Thread safety: an object of one thread's stack; they nest, as an executor may run a task inside another handler.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS {

class HandlerThread;

class InsideHandler {
 public:
  explicit InsideHandler(const HandlerThread& of) noexcept : of_(of), outer_(innermost()) { innermost() = this; }
  ~InsideHandler() { innermost() = outer_; }
  InsideHandler(const InsideHandler&) = delete;
  InsideHandler& operator=(const InsideHandler&) = delete;

  static bool of(const HandlerThread& handlers) noexcept {
    for (const InsideHandler* at = innermost(); at != nullptr; at = at->outer_) {
      if (&at->of_ == &handlers) return true;
    }
    return false;
  }

 private:
  struct Tag;
  static const InsideHandler*& innermost() noexcept { return sync::ThreadLocal<const InsideHandler*, Tag>::get(); }

  const HandlerThread& of_;
  const InsideHandler* const outer_;
};

}  // namespace HEDDLE_NS
