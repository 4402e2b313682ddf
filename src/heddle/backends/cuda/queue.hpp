// CudaQueue: one CUDA stream. Lists become launches at submit; a tick kernel after each writes its ticket.
//
// The driver orders the work: launches of one stream run one after another, and waits for other streams are CUDA
// events. Nothing here waits, with one exception: if the tick cannot be launched, the host drains the stream and writes
// the ticket.
//
// Thread safety: submit, wait_on and recycled_list by the thread that holds the lease; the rest by any thread. Locks:
// mutex_ (kDeviceQueue) guards events and kept lists; it is never held together with another queue's mutex.
// Invariants:
//  1. submitted_ is stored before the host may find the device lost, and a declared loss reads it afterwards (both
//     sequentially consistent): the device, the submitter or the thread that declared the loss closes each list.
//  2. The word never decreases: the device adds, the host only raises it.
//  3. Operands that a list owns are kept until its ticket is complete.
//  4. on_stream_ is raised after the tick is on the stream: an event recorded after a read of it covers that ticket.
//  5. submit() allocates host memory before anything is on the stream; if it runs out later, the list fails.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <list>

#include "heddle/backends/cuda/commands.hpp"
#include "heddle/backends/cuda/event_ring.hpp"
#include "heddle/backends/cuda/lane_slots.hpp"
#include "heddle/backends/cuda/loss.hpp"
#include "heddle/backends/cuda/owned_stream.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

class CudaDevice;

// State that the queues of a device share. Immutable while queues exist, except for the atomics; outlives them.
struct Engine {
  int device = 0;
  CudaDevice* owner = nullptr;
  const CublasLt* library = nullptr;
  PlanTable* plans = nullptr;
  PinnedMemory* pinned = nullptr;
  LaneSlots* slots = nullptr;
  DeviceLoss loss;
  const Status out_of_host_memory{
      ErrorKind::kOutOfMemory,
      "host memory ran out while a list was put on its stream; the rest of the list was skipped"};
  sync::Atomic<bool> parked{false};  // no more lists start
};

class CudaQueue final : public Queue {
 public:
  CudaQueue(StreamId stream, Engine& engine, OwnedStream native, LaneSlot slot);
  // REQUIRES: everything submitted is complete.
  ~CudaQueue() override;

  void* native_handle() const noexcept override { return native_.get(); }

  Status submit(CommandList&& list, Ticket closes);
  Status wait_on(CudaQueue& other, Ticket ticket);
  Status order_on(CudaQueue& other, Ticket ticket);
  void clear_failure(Ticket last) { failure_log().clear(last); }
  CommandList recycled_list() { return std::move(spare_); }

  Ticket submitted() const noexcept { return Ticket{submitted_.load(sync::seq_cst)}; }
  // True while a list is being submitted or has not ended.
  bool busy() const noexcept { return submitting_.load(sync::seq_cst) || completed() < submitted(); }
  // Closes all outstanding tickets with `status`; the device is lost.
  void lose(const Status& status);
  // Lists are unfinished, and no submitter would notice a fault: another thread must query.
  bool unattended() const noexcept { return !submitting_.load(sync::seq_cst) && completed() < submitted(); }
  // Ok, or the fault that the driver reports for this stream.
  Status fault() const;
  // A list that owns operands, with the ticket that closes it.
  struct Kept {
    Ticket closes{};
    bool has_custom = false;
    CommandList list;
  };
  // Moves finished lists to the end of `ended`, to be destroyed without a lock. Moves a list with a user's function,
  // whose destructor is user code, only if `with_custom`. Any thread.
  void take_ended(std::list<Kept>& ended, bool with_custom) noexcept;
  void release_ended() noexcept override;
  void add_counts(KernelCounts& counts) const noexcept;

 private:
  // While one lives, a list is on its way to the stream.
  class Submitting {
   public:
    explicit Submitting(sync::Atomic<bool>& flag) noexcept : flag_(flag) { flag_.store(true, sync::seq_cst); }
    ~Submitting() { flag_.store(false, sync::seq_cst); }
    Submitting(const Submitting&) = delete;
    Submitting& operator=(const Submitting&) = delete;

   private:
    sync::Atomic<bool>& flag_;
  };
  // Encodes the commands of a list; counts those that reached the stream.
  Status encode_all(const CommandList& list, TickArgs* tick);
  bool join_tick(const CommandView& command, const std::uint64_t* end, TickArgs* tick) const;
  Status inherited_error();
  void close(const TickArgs& tick, Ticket closes);
  Status close_by_host(Ticket closes);
  void raise_word(Ticket ticket) noexcept;
  // `place`: the node for the list if it owns operands.
  void keep_or_recycle(CommandList&& list, Ticket closes, std::list<Kept>&& place) noexcept;

  Engine& engine_;
  const LaneSlot slot_;
  const OwnedStream native_;
  Matmul matmul_;                                                   // the holder's
  Status inherited_;                                                // the holder's: from a failed wait
  CommandList spare_;                                               // the holder's
  std::array<sync::Atomic<std::uint64_t>, kKernelCount> counts_{};  // written by the holder; relaxed: no other data
  sync::Atomic<std::uint64_t> submitted_{0};                        // written by the holder
  sync::Atomic<std::uint64_t> on_stream_{0};                        // written by the holder; release, for wait_on()
  sync::Atomic<bool> submitting_{false};                            // seq_cst against Engine::parked
  sync::Atomic<bool> keeps_{false};                                 // true while kept_ is not empty
  sync::Mutex mutex_{Rank::kDeviceQueue};
  EventRing events_ HEDDLE_GUARDED_BY(mutex_);
  std::list<Kept> kept_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cuda
