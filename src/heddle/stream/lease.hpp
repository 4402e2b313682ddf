// Lease: the right to record on one stream, held by whoever holds the object.
//
// Taking one commits what its thread recorded before; from then on the thread records on this stream, until the lease
// ends or is detached, then (again) on the one it had before. To move a lease to another thread: detach() it here,
// move it, attach() it there. It may end on any thread; what was recorded on it is then committed. Where
// waiting is forbidden (a completion handler, a custom operation) and its thread is inside a call on it, that thread
// keeps the stream like one that it took without a lease; elsewhere the end of the lease waits for that call, at most
// Limits::lease_wait_max. A thread that exits detaches the leases it has attached.
//
// Thread safety: one object by one thread at a time; the calls that record only on the thread it is attached to, which
// is checked.
#pragma once

#include <memory>
#include <optional>

#include "heddle/base/namespace.hpp"
#include "heddle/stream/event.hpp"
#include "heddle/stream/lane_pool.hpp"

namespace HEDDLE_NS {

class Lease {
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

  // As the calls of Runtime with these names, for this stream. Throw InvalidArgument when it is not attached here.
  void commit();
  bool try_commit();
  void synchronize();
  bool query();
  Event record_event();
  void wait(const Event& event);
  void on_complete(CompletionHandler handler, HandlerOptions options = {});
  bool try_on_complete(CompletionHandler handler, HandlerOptions options = {});

  // The backend's own handle of the stream (CUDA: a CUstream), for code that calls the device itself; null where there
  // is none. Work that is submitted to it runs behind what was committed here.
  void* native_handle();

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
