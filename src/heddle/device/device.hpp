// What a backend must provide: the pure virtual calls. The others have a default, which their comments name. Recording
// an operation calls none of them, except workspace_bytes() where its command may want scratch memory.
//
// Contract. Each sentence has a test in tests/device_suite, named after its number: 2b is Contract2b_....
//  1a. A Queue executes its entries (lists and waits) in the order in which they were handed over.
//  1b. One thread at a time hands entries to a queue: the holder of the stream's lease, which changes hands.
//  1c. Different queues are used concurrently.
//  2a. Tickets always advance. A list that fails, at submit or in execution, still publishes its closing ticket.
//  2b. The status is in failures() before the ticket can be seen.
//  2c. completed() never decreases.
//  2d. While failures().failing(), lists are skipped (published, not executed) until clear_failure().
//  3a. Errors are values with the backend's own text.
//  3b. Nothing here throws, except bad_alloc where host memory runs out.
//  3c. submit(), wait_on() and order_on() have then changed nothing, and the list is still the caller's.
//  3d. A list that was taken fails without asking for host memory.
//  4a. wait_on() and order_on() take any ticket that was submitted to the other queue, and no other.
//  4b. A queue that waits on a failed ticket fails.
//  5a. After completed() advances, the backend calls the listener if the queue is watched (Queue::watched()).
//  5b. Where DeviceInfo::announces is false, it never calls the listener.
//  6a. No call holds a lock of the backend while it calls the listener.
// Each virtual function has tests named after it: wait_on() has WaitOn_....
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/command_list.hpp"
#include "heddle/device/failure_log.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/error.hpp"
#include "heddle/statistics.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

struct MemoryInfo {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
};

// Commands executed since the device was opened, by kernel; skipped ones do not count.
using KernelCounts = std::array<std::uint64_t, kKernelCount>;

// One ordered lane of execution on the device. Created by Device::create_queue, destroyed by its owner when idle.
class Queue {
 public:
  virtual ~Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  StreamId stream() const noexcept { return stream_; }
  // One load; what the device wrote for tickets up to the result is visible to the caller.
  Ticket completed() const noexcept { return Ticket{completed_word_->load(sync::acquire)}; }
  // For a thread that has called watch() and decides whether to sleep.
  Ticket completed_after_watch() const noexcept { return Ticket{completed_word_->load(sync::seq_cst)}; }
  const FailureLog& failures() const noexcept { return failures_; }
  // The stream that owns the queue, opaque to backends. Set once, before the first submit.
  void set_owner(void* owner) noexcept { owner_ = owner; }
  void* owner() const noexcept { return owner_; }
  // The backend's own handle of the stream, for code that calls the device itself (CUDA: a CUstream); null where there
  // is none.
  virtual void* native_handle() const noexcept { return nullptr; }

  // Optional: destroys what lists that have ended still own, the user's functions among it, on the calling thread, for
  // a backend that puts it off. By default nothing. REQUIRES: no lock held.
  virtual void release_ended() noexcept {}

  // While watched, every advance of completed() is announced to the listener. Sequentially consistent against the
  // publication of a ticket: either the watcher sees the new ticket, or the backend sees the watcher.
  void watch() noexcept { watchers_.fetch_add(1, sync::seq_cst); }
  void unwatch() noexcept { watchers_.fetch_sub(1, sync::seq_cst); }
  bool watched() const noexcept { return watchers_.load(sync::seq_cst) != 0; }

 protected:
  explicit Queue(StreamId stream) : completed_word_(&own_word_), stream_(stream) {}
  // For backends whose device writes tickets itself: `word` is mapped memory that outlives the queue.
  Queue(StreamId stream, const sync::Atomic<std::uint64_t>* word) : completed_word_(word), stream_(stream) {}

  // For backends that publish from the host.
  void publish(Ticket ticket) noexcept { own_word_.store(ticket.value, sync::seq_cst); }
  FailureLog& failure_log() noexcept { return failures_; }

 private:
  alignas(64) sync::Atomic<std::uint64_t> own_word_{0};
  const sync::Atomic<std::uint64_t>* completed_word_;
  sync::Atomic<std::uint32_t> watchers_{0};
  StreamId stream_;
  void* owner_ = nullptr;
  FailureLog failures_;
};

// Handed down to a backend at open; the only upward flow.
class CompletionListener {
 public:
  // completed() of `queue` advanced. Called from any thread, with no lock held; must not block and not throw.
  virtual void on_progress(Queue& queue) noexcept = 0;

 protected:
  ~CompletionListener() = default;
};

// A list that was prepared for launching again (design: replay). Destroyed when none of its launches is pending.
class Replayable {
 public:
  virtual ~Replayable() = default;
};

// How the submitting thread goes on. kCallerWaits: it calls help() at once and runs the list itself, so no worker is
// woken; without that call the list waits for the next asynchronous submit.
enum class SubmitHint : unsigned char { kAsynchronous, kCallerWaits };

class Device {
 public:
  virtual ~Device() = default;  // REQUIRES: every queue was destroyed, every segment released

  // --- what it is ---
  virtual const DeviceInfo& info() const noexcept = 0;
  virtual MemoryInfo memory_info() const = 0;
  virtual bool supports(KernelId kernel, Dtype dtype) const noexcept = 0;
  virtual KernelCounts executed() const = 0;
  // Bytes of scratch memory that a command wants whose arguments have a `workspace`, which is still null. Of the
  // addresses only the alignment counts. Any thread; called while such commands are recorded, so it is quick for shapes
  // seen before. Default: 0.
  virtual std::size_t workspace_bytes(const CommandView& command);

  // --- memory; any thread; may block, so no lock of the caller's hot path is held ---
  // On success *out points to `bytes` of device memory aligned to at least 4096. Failure: kOutOfMemory or kDeviceError,
  // and *out is null.
  virtual Status allocate_segment(std::size_t bytes, void** out) = 0;
  virtual void release_segment(void* segment, std::size_t bytes) noexcept = 0;
  // Host memory that the device copies to and from at full speed (pinned, where that exists), aligned to 64 bytes.
  // Throws bad_alloc, or the backend's error. Default: plain memory.
  virtual std::shared_ptr<std::byte> allocate_host(std::size_t bytes);

  // Copies device memory that no unfinished work writes to the host, and waits for that copy only. Default: memcpy, for
  // devices whose memory the host sees.
  virtual Status read_memory(void* out, const void* from, std::size_t bytes);

  // --- queues ---
  virtual Status create_queue(StreamId stream, std::unique_ptr<Queue>* out) = 0;
  // Hands a list over; it closes with `closes`, and its first command has ticket `closes - commands + 1`.
  // The list is consumed whatever the result; an error here also fails the queue (contract 2).
  virtual Status submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint hint) = 0;
  // An empty list whose command memory may be used again, or a fresh one.
  virtual CommandList recycled_list(Queue& queue) = 0;
  // Entries of `queue` handed over after this run only once `other` has completed `ticket`.
  virtual Status wait_on(Queue& queue, Queue& other, Ticket ticket) = 0;
  // As wait_on(), but the queue does not fail where the ticket has: for memory that the other queue used, and whose
  // contents are nobody's.
  virtual Status order_on(Queue& queue, Queue& other, Ticket ticket) = 0;
  // Runs pending work that `queue` needs to reach `ticket` on the calling thread. Returns false when there was nothing
  // this thread could run (then wait for the listener). Backends with their own processors always return false.
  virtual bool help(Queue& queue, Ticket ticket) = 0;
  // Ends skipping. REQUIRES: every list handed to `queue` is complete. `last`: the last ticket that carries the error.
  virtual void clear_failure(Queue& queue, Ticket last) = 0;

  // --- replay; a backend without it keeps these ---
  virtual Status build(Queue& queue, const CommandList& list, std::unique_ptr<Replayable>* out);
  virtual Status launch(Queue& queue, Replayable& replayable, Ticket closes, SubmitHint hint);

  // --- the whole device ---
  // Prepares kernels so that no later call stalls the device. Before the first submit. Default: nothing.
  virtual Status preload();
  // Ok, or why the device is lost (sticky; every outstanding ticket then completes with it). Default: ok.
  virtual Status lost() const;
  // Asks the driver for faults and completes the tickets of a lost device. May block. Called by one thread while
  // somebody waits or busy(), on backends that do not announce progress: 10 ms after the last progress, otherwise every
  // 100 ms. Default: nothing.
  virtual void poll();
  // True while a list is on its way: poll() is then called even if nobody waits. Default: false.
  virtual bool busy() const;
  // For the end of the process: no list begins any more, on any thread. Waits until those that run have ended or the
  // deadline passed; false in the latter case. Tickets no longer advance. Cannot be undone.
  virtual bool park(sync::Deadline deadline) = 0;
  // REQUIRES: before the first queue is created. `listener` outlives the device's last queue.
  virtual void set_listener(CompletionListener* listener) = 0;
};

}  // namespace HEDDLE_NS
