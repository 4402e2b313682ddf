// Completion handlers: what a user hands over. HandlerStatistics counts them.
//
// A handler runs exactly once: after its ticket completed (ok), failed (the list's error; kDeviceLost when the device
// is gone), or when the runtime shut down first (kAbandoned). Handlers of one stream run in the order of their
// registration, on the runtime's handler thread, with no lock held. There a handler may allocate, free, record and
// commit, and register handlers; a call that would wait throws WouldBlock. A handler that must wait names an Executor.
// A handler is destroyed where it ran: there, a destructor of what it captured must not wait either.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

using CompletionHandler = std::function<void(const Status&)>;

// Where handlers run that may wait: the user's own threads. execute() is called on the handler thread, in the order of
// the stream, and must not wait itself. A task that is destroyed without having been run, one that execute() threw on,
// and one that the host has no memory for tell their handler kAbandoned. Tasks may outlive the runtime. They do not own
// the executor: the library holds it until execute() has returned, then keeping it is up to the user. Where nobody else
// does, it is destroyed on a thread of its own, so its destructor may wait for its tasks; a shutdown awaits that. (On
// the handler thread, where it must not wait, only if no thread can be started, another owner lets go at that very
// moment, or the runtime has stopped its handlers.) Handlers that were handed over do not count against
// Limits::handlers_max: an executor bounds its own tasks itself.
class HEDDLE_API Executor {
 public:
  virtual ~Executor() = default;
  virtual void execute(std::function<void()> task) = 0;
};

struct HandlerOptions {
  std::string name = {};                    // for statistics and errors
  std::shared_ptr<Executor> executor = {};  // null: the runtime's handler thread
};

// An exception that left a handler. It went no further.
struct HandlerFailure {
  std::string name = {};
  StreamId stream = {};
  std::exception_ptr error = {};
};
// Called where the handler ran; what it throws itself is dropped.
using HandlerFailureHook = std::function<void(const HandlerFailure&)>;

}  // namespace HEDDLE_NS
