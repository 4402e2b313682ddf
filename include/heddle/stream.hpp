// Stream: what a thread asks of the stream that it records on. Lease: the right to record on one stream, held by
// whoever holds the object.
//
// Taking a lease commits what its thread recorded before; from then on the thread records on this stream, until the
// lease ends or is detached, then (again) on the one it had before. To move a lease to another thread: detach() it
// here, move it, attach() it there. It may end on any thread; what was recorded on it is then committed. Where waiting
// is forbidden (a completion handler, a custom operation) and its thread is inside a call on it, that thread keeps the
// stream like one that it took without a lease; elsewhere the end of the lease waits for that call, at most
// Limits::lease_wait_max. A thread that exits detaches the leases it has attached.
//
// Thread safety: a Stream is used by the thread that got it. A Lease is used by one thread at a time; the calls that
// record only on the thread it is attached to, which is checked.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/event.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

class LanePool;
class Recording;
struct LeaseSlot;

// A view, as std::string_view is one: of the calling thread's stream (Runtime::stream()), whichever that is at each
// call, or of a lease's (Lease::stream()). It is not kept longer than the runtime, or than the lease stays where it is.
class HEDDLE_API Stream {
 public:
  // Of the calling thread: takes a stream where it has none.
  StreamId id() const;

  // Hands over what was recorded. try_commit() returns false where that would wait for the device.
  void commit() const;
  bool try_commit() const;
  // Commits, waits for everything, and throws the stream's first error.
  void synchronize() const;
  // True when nothing is recorded, committed or running. try_commit() and query() never wait: a thread that would have
  // to wait for a stream has recorded nothing, and gets true.
  bool query() const;

  // The point after everything that was recorded; commits it.
  Event record_event() const;
  // What is recorded from now on runs after `event`, and inherits its error. Throws InvalidArgument for an event of
  // another runtime.
  void wait(const Event& event) const;

  // Runs `handler` once everything that was recorded is done; commits it (completion.hpp).
  // Waits while Limits::handlers_max handlers of the stream are pending, Limits::handler_wait_max at most. Throws
  // Timeout after that (what was recorded is committed), WouldBlock inside a handler that would wait, InvalidArgument
  // for an empty handler, Closed while shutting down.
  void on_complete(CompletionHandler handler, HandlerOptions options = {}) const;
  // As on_complete(), but returns false where that would wait, for a stream, for room or in commit(): nothing is
  // changed then, and nothing committed.
  bool try_on_complete(CompletionHandler handler, HandlerOptions options = {}) const;

  // The backend's own handle of the stream (CUDA: a CUstream), for code that calls the device itself; null where there
  // is none. Work that is submitted to it runs after what was committed here.
  void* native_handle() const;

 private:
  friend struct StreamAccess;
  friend class Lease;
  enum class Patience : unsigned char { kWaits, kTries };
  explicit Stream(const std::shared_ptr<LanePool>& pool, const std::shared_ptr<LeaseSlot>* slot = nullptr) noexcept
      : pool_(&pool), slot_(slot) {}
  Recording enter(Patience patience = Patience::kWaits) const;

  const std::shared_ptr<LanePool>* pool_;
  const std::shared_ptr<LeaseSlot>* slot_;  // null: the calling thread's current lease
};

class HEDDLE_API Lease {
 public:
  // Throws PoolExhausted, WouldBlock, Closed, Forked, or InvalidArgument in a custom operation.
  explicit Lease(std::shared_ptr<LanePool> pool);
  // None where the constructor would wait, or would throw PoolExhausted or WouldBlock. Throws the rest.
  static std::optional<Lease> try_take(std::shared_ptr<LanePool> pool);
  ~Lease() { end(); }
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;

  StreamId id() const noexcept { return id_; }

  // Commits what was recorded and lets go of the thread. Throws InvalidArgument when it is not attached here.
  void detach();
  // The calling thread records on this stream from now on. Throws InvalidArgument when it is attached to a thread.
  void attach();

  // Throws InvalidArgument when this lease was moved from; the calls of the stream do when it is not attached here.
  Stream stream() const;

  // The calls of stream().
  void commit() { stream().commit(); }
  bool try_commit() { return stream().try_commit(); }
  void synchronize() { stream().synchronize(); }
  bool query() { return stream().query(); }
  Event record_event() { return stream().record_event(); }
  void wait(const Event& event) { stream().wait(event); }
  void on_complete(CompletionHandler handler, HandlerOptions options = {}) {
    stream().on_complete(std::move(handler), std::move(options));
  }
  bool try_on_complete(CompletionHandler handler, HandlerOptions options = {}) {
    return stream().try_on_complete(std::move(handler), std::move(options));
  }
  void* native_handle() { return stream().native_handle(); }

 private:
  Lease() = default;  // of no stream yet
  // False: no stream is free, and it was to `try` only.
  bool take(std::shared_ptr<LanePool> pool, bool try_only);
  void end() noexcept;
  void require_lease() const;  // not moved from

  std::shared_ptr<LanePool> pool_;
  std::shared_ptr<LeaseSlot> slot_;
  StreamId id_;
};

}  // namespace HEDDLE_NS
