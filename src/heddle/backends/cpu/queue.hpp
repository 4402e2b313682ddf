// CpuQueue: a first-in-first-out line of lists and waits, run by a worker or by a waiting thread.
//
// No thread ever blocks on a queued wait: a queue whose head is an unfinished wait is simply not run. The queue that it
// waits for lists it (dependants_), and makes it ready after publishing the ticket.
//
// Thread safety: submit and wait_on by one thread at a time; run, work, offer by any thread. Locks: mutex_
// (kDeviceQueue), never two queues' at once; none while a kernel or the listener runs.
// Invariants:
//  1. At most one thread is the runner (running_); only it executes, publishes and writes counts_ and context_.
//  2. A queue whose head is a list is running_, or scheduled_, or a thread is about to call Device::help for it: the
//     thread that submitted with kCallerWaits, or a helper, which offers the rest to the workers.
//  3. An unresolved wait for `other` in entries_ keeps `other` alive: the runner of `other` resolves it before it
//     stops running, and ~CpuQueue waits for that. pins_ does the same for a helper that follows a wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heddle/backends/cpu/kernels/kernel.hpp"
#include "heddle/backends/cpu/scheduler.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cpu {

class CpuDevice;
class HelpChain;

using KernelTable = std::array<Kernel, kKernelCount>;

// State that the queues of a device share. Immutable while a queue exists; outlives them.
struct Engine {
  KernelTable kernels{};
  CompletionListener* listener = nullptr;
  sync::Atomic<bool> parked{false};  // no more lists start; read under the queue's mutex
  Scheduler* scheduler = nullptr;
  CpuDevice* device = nullptr;
};

class CpuQueue final : public Queue {
 public:
  // Why run() stopped.
  enum class Stop : unsigned char {
    kReached,   // the ticket is complete
    kPaused,    // time is up; more can run
    kEmpty,     // nothing is submitted up to the ticket
    kBlocked,   // the head waits for another queue
    kOccupied,  // another thread runs this queue
  };
  struct Result {
    Stop stop;
    bool ran = false;             // at least one list
    CpuQueue* blocker = nullptr;  // kBlocked: pinned for the caller, who calls unpin()
    Ticket blocker_ticket{};
  };

  CpuQueue(StreamId stream, const Engine& engine) : Queue(stream), engine_(engine) { recycled_.reserve(kMostRecycled); }
  // REQUIRES: everything submitted is complete; the caller holds no lock that the listener takes.
  ~CpuQueue() override;

  void submit(CommandList&& list, Ticket closes, SubmitHint hint);
  // `inherits`: if the ticket fails, this queue fails too.
  void wait_on(CpuQueue& other, Ticket ticket, bool inherits);
  void clear_failure(Ticket last) { failure_log().clear(last); }
  CommandList recycled_list();
  // Adds this queue's executed commands to `counts`. Any thread.
  void add_counts(KernelCounts& counts) const noexcept;

  // Runs lists on the calling thread until `limit` is complete: at least one, and no new one after `until`. `chain`:
  // the queues that this thread helps, and will run or offer itself; may be null. Throws Forked in a child that a
  // custom operation forked.
  Result run(Ticket limit, sync::Deadline until, HelpChain* chain);
  // Runs one list; called by a worker that took this queue from the ready queues.
  void work();
  // Hands the queue to the workers if it can run and no thread runs it.
  void offer();
  // True while another thread runs a list. Any thread, including from a custom operation.
  bool running_elsewhere() const;
  void unpin() noexcept { pins_.fetch_sub(1, sync::seq_cst); }

 private:
  struct Entry {
    CommandList list;
    Ticket ticket;  // a list's closing ticket; a wait's ticket on `other`
    bool is_wait = false;
    bool inherits = false;      // of a wait
    CpuQueue* other = nullptr;  // an unresolved wait's; null once resolved
    Status status{};            // a resolved wait's
  };
  struct Dependant {
    CpuQueue* queue;
    Ticket ticket;
  };
  static constexpr std::size_t kMostRecycled = 4;
  friend class Scheduler;  // next_ready_ belongs to its mutex

  bool runnable() HEDDLE_REQUIRES(mutex_);  // the head is a list; drops resolved waits
  bool claim_schedule() HEDDLE_REQUIRES(mutex_);
  void pop() HEDDLE_REQUIRES(mutex_);
  void recycle(CommandList&& list) HEDDLE_REQUIRES(mutex_);
  Result run_locked(Ticket limit, sync::Deadline until, HelpChain* chain, bool is_worker) HEDDLE_EXCLUDES(mutex_);
  void execute(Entry& entry, Status inherited);
  Status execute_commands(const CommandList& list);
  // One of the queues whose wait has passed; allocates nothing, because the runner must not fail.
  std::optional<Dependant> take_passed() HEDDLE_REQUIRES(mutex_);
  void take_back_wait();
  void resolve(const CpuQueue& other, Ticket ticket, const Status& status, HelpChain* chain);

  const Engine& engine_;
  CpuQueue* next_ready_ = nullptr;
  std::array<sync::Atomic<std::uint64_t>, kKernelCount> counts_{};  // written by the runner; relaxed: no other data
  sync::Atomic<std::uint32_t> pins_{0};
  mutable sync::Mutex mutex_{Rank::kDeviceQueue};
  std::vector<Entry> entries_ HEDDLE_GUARDED_BY(mutex_);  // pending from head_ on
  std::size_t head_ HEDDLE_GUARDED_BY(mutex_) = 0;
  bool running_ HEDDLE_GUARDED_BY(mutex_) = false;
  bool scheduled_ HEDDLE_GUARDED_BY(mutex_) = false;  // in the scheduler's ready list, or a worker has just taken it
  Status inherited_ HEDDLE_GUARDED_BY(mutex_);        // of a failed wait; fails the next list
  std::vector<Dependant> dependants_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<CommandList> recycled_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cpu
