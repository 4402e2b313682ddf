// Runtime: opens a device and owns everything on it. Several may be open in one process.
//
//   heddle::Runtime runtime;
//   auto x = heddle::randn(runtime, {256, 256});
//   float s = heddle::sum(heddle::matmul(x, x)).item();
//
// Thread safety: all members but the destructor, from any thread. The calling thread's stream is the one of its newest
// Lease, or else an implicit one taken at first use. In a forked child every call throws Forked.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/event.hpp"
#include "heddle/options.hpp"
#include "heddle/shutdown_report.hpp"
#include "heddle/statistics.hpp"
#include "heddle/stream.hpp"

namespace HEDDLE_NS {

class Core;
class Lifecycle;

class HEDDLE_API Runtime {
 public:
  // Throws InvalidArgument (options, environment, unknown device), Unsupported (a memory size that nobody says),
  // OutOfMemory, WouldBlock inside a handler or a custom operation, or what the device reports.
  explicit Runtime(const Options& options = {});
  // Shuts down, with the default deadline, if that was not done; while the process exits, within 2 s of the exit's
  // beginning. Where that would wait for the calling thread (in a completion handler, also one that an executor runs,
  // in a custom operation, in an executor or a destructor that the library calls) it waits for nothing: a thread of the
  // library ends the runtime. runtimes_left() counts what does not end. A no-op in a forked child.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  operator Core&() { return core(); }  // NOLINT: operations take a Core&, users hold a Runtime
  Core& core() const;
  const DeviceInfo& device_info() const;

  // The calling thread's stream, and its calls (stream.hpp).
  Stream stream() const;
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
  HandlerStatistics handler_statistics() const;

  // Takes a stream for the calling thread until the lease ends. Waits for one Limits::lease_wait_max at most; throws
  // PoolExhausted after that, or at once where this thread holds all of them itself.
  Lease lease();
  // The same, but none where lease() would wait or throw PoolExhausted or WouldBlock.
  std::optional<Lease> try_lease();

  MemoryStatistics memory_statistics() const;
  // Gives idle memory back to the device; returns the bytes.
  std::size_t release_cached();
  // Commands that the device executed, by kernel; those of which there were none are left out.
  std::vector<KernelCount> executed() const;
  std::size_t streams() const;

  // New leases, recordings and registrations throw Closed; what was recorded is committed and awaited; handlers run;
  // threads stop. Memory goes with the Runtime, idle memory at release_cached(). What is not done by the deadline is
  // abandoned, and its handlers receive kAbandoned, which may take a second more; those that are slower receive it
  // after this call has returned, counted as pending. Memory that the device may still use is kept, as is that of live
  // tensors. Concurrent and later calls get the same report; where another thread is not done 1.5 s after a call's own
  // deadline, it throws Timeout. Throws WouldBlock where it would wait for itself: inside a handler, a custom
  // operation, or a handler of this runtime that an executor runs. (There another runtime may be shut down, unless it
  // waits for that handler in turn.) Without a deadline: kShutdownDeadline, or while the process exits what is left of
  // its 2 s.
  static constexpr std::chrono::milliseconds kShutdownDeadline{30'000};
  ShutdownReport shutdown(std::chrono::milliseconds deadline);
  ShutdownReport shutdown();
  // Begins a shutdown and returns at once, wherever it is called: new leases, recordings and registrations throw Closed
  // from now on, and a thread of the library does the rest, with the default deadline. A later shutdown() gives the
  // report; it does the work itself where the system has not started that thread.
  void request_shutdown();

 private:
  std::shared_ptr<Lifecycle> lifecycle_;
};

// Runtimes of this process whose objects are gone, but which have not ended.
HEDDLE_API RuntimesLeft runtimes_left() noexcept;

}  // namespace HEDDLE_NS
