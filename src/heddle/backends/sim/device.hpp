// SimDevice: a device whose time, order and faults a test decides.
//
// Each queue executes one entry at a time; a list takes the delay that was set when it was submitted, from the moment
// its queue is free and its waits have passed. Due lists complete in the order (virtual time, stream id), unless a
// stream is named, on the thread that calls step(), advance() or, with auto_run, help(). Thread safety: the Device
// calls and the controls, from any thread; but the order is deterministic only when one thread at a time uses the
// device. Locks: mutex_ (kDeviceScheduler) guards everything, never held while the listener runs. Invariants: 1.
// Virtual time never goes back. 2. One thread at a time completes lists and tells the listener (stepping_), and a queue
// dies only between such steps. 3. Queues leave queues_ before they die; a queue that is waited for is complete before
// it dies, so waits on it have passed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/backends/sim/open.hpp"
#include "heddle/backends/sim/segments.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::sim {

class SimDevice;

// A queue of the simulated device. Thread safety, locks: all state is the device's, under its mutex.
class SimQueue final : public Queue {
 public:
  SimQueue(StreamId stream, SimDevice& device) : Queue(stream), device_(device) {}
  ~SimQueue() override;

 private:
  friend class SimDevice;
  struct Entry {
    CommandList list;
    Ticket ticket;              // closes the list, or is waited for
    SimQueue* other = nullptr;  // a wait's
    bool inherits = false;      // that wait brings the other's error in
    std::uint64_t delay_ns = 0;
    std::uint64_t submitted_ns = 0;
    Status submit_error{};
  };
  SimDevice& device_;
  std::deque<Entry> entries_;
  std::uint64_t free_at_ns_ = 0;  // when the previous entry ended
  Status inherited_;              // of a wait that passed; fails the next list
};

class SimDevice : public Device {
 public:
  explicit SimDevice(const SimOptions& options);
  ~SimDevice() override;
  SimDevice(const SimDevice&) = delete;
  SimDevice& operator=(const SimDevice&) = delete;

  // --- controls ---
  std::uint64_t now_ns() const;
  // Lists submitted to `stream` from now on take this long; 0 (the default) is due at once.
  void set_delay(StreamId stream, std::uint64_t delay_ns);
  // Completes the earliest list, moving the clock to its end. False when no list can run.
  bool step();
  // The streams with a list that could complete now, whenever it is due; by id.
  std::vector<StreamId> ready();
  // Completes the oldest list of `stream`, whatever is due earlier elsewhere. False when it cannot run.
  bool step(StreamId stream);
  // Moves the clock and completes what is due by then. Returns how many lists.
  std::size_t advance(std::uint64_t by_ns);
  // The n-th submit from now on (from 1) fails with `status`.
  void fail_submit(std::uint64_t nth, Status status);
  // The n-th allocate_segment from now on (from 1) fails; with `forever`, all after it too.
  void fail_allocation(std::uint64_t nth, bool forever = false) { segments_.fail(nth, forever); }
  // The next create_queue fails with `status`.
  void fail_queue(Status status);
  // Called by each create_queue() before it does anything, on its thread, without locks. Before the first.
  void on_create_queue(std::function<void()> call) { on_create_queue_ = std::move(call); }
  // The list of `stream` that contains `ticket` fails in execution.
  void fail_execution(StreamId stream, Ticket ticket, Status status);
  // Everything outstanding and everything later completes with `status`, now, and nothing executes.
  void lose(Status status);

  // --- Device ---
  const DeviceInfo& info() const noexcept override { return info_; }
  MemoryInfo memory_info() const override { return segments_.info(); }
  bool supports(KernelId kernel, Dtype dtype) const noexcept override;
  KernelCounts executed() const override;
  Status allocate_segment(std::size_t bytes, void** out) override { return segments_.allocate(bytes, out); }
  void release_segment(void* segment, std::size_t bytes) noexcept override { segments_.release(segment, bytes); }
  Status create_queue(StreamId stream, std::unique_ptr<Queue>* out) override;
  Status submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint hint) override;
  CommandList recycled_list(Queue&) override { return {}; }
  Status wait_on(Queue& queue, Queue& other, Ticket ticket) override;
  Status order_on(Queue& queue, Queue& other, Ticket ticket) override;
  bool help(Queue& queue, Ticket ticket) override;
  void clear_failure(Queue& queue, Ticket last) override;
  Status lost() const override;
  void set_listener(CompletionListener* listener) override { listener_ = listener; }
  bool park(sync::Deadline deadline) override;

  // Called by a queue's destructor.
  void retire(const SimQueue& queue) noexcept;

 private:
  struct Due {
    SimQueue* queue = nullptr;
    std::uint64_t at_ns = 0;
  };
  void add_wait(SimQueue& queue, SimQueue& other, Ticket ticket, bool inherits);
  void drop_passed_waits(SimQueue& queue) HEDDLE_REQUIRES(mutex_);
  // No queue: it has no list, or waits.
  static Due due_of(SimQueue& queue);
  Due next_due() HEDDLE_REQUIRES(mutex_);
  void complete(const Due& due) HEDDLE_REQUIRES(mutex_);
  bool step_until(std::uint64_t limit_ns);
  void complete_head(SimQueue& queue) HEDDLE_REQUIRES(mutex_);
  Status fault_of(const SimQueue& queue, const SimQueue::Entry& entry, Ticket first) HEDDLE_REQUIRES(mutex_);
  Status run(const CommandList& list, std::uint64_t now_ns, KernelCounts& counts) const;
  void begin_step() HEDDLE_REQUIRES(mutex_);
  void end_step() HEDDLE_REQUIRES(mutex_);
  void announce(Queue& queue) HEDDLE_EXCLUDES(mutex_);
  bool lose_pending(SimQueue& queue) HEDDLE_REQUIRES(mutex_);

  const bool auto_run_;
  std::function<void()> on_create_queue_;
  DeviceInfo info_;
  Segments segments_;
  CompletionListener* listener_ = nullptr;
  mutable sync::Mutex mutex_{Rank::kDeviceScheduler};
  sync::ConditionVariable stepped_;
  bool stepping_ HEDDLE_GUARDED_BY(mutex_) = false;
  std::uint64_t now_ns_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::vector<SimQueue*> queues_ HEDDLE_GUARDED_BY(mutex_);  // by stream id
  std::map<std::uint32_t, std::uint64_t> delays_ HEDDLE_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Status> submit_faults_ HEDDLE_GUARDED_BY(mutex_);  // by number of the submit
  std::map<std::pair<std::uint32_t, std::uint64_t>, Status> execution_faults_ HEDDLE_GUARDED_BY(mutex_);
  std::uint64_t submits_ HEDDLE_GUARDED_BY(mutex_) = 0;
  KernelCounts counts_ HEDDLE_GUARDED_BY(mutex_){};
  Status queue_fault_ HEDDLE_GUARDED_BY(mutex_);
  Status lost_ HEDDLE_GUARDED_BY(mutex_);
  bool parked_ HEDDLE_GUARDED_BY(mutex_) = false;
};

}  // namespace HEDDLE_NS::sim
