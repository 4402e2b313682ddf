// CudaQueue: one CUDA stream. Lists become launches at submit; a tick kernel behind each writes its ticket.
//
// The device order is the driver's: launches of one stream run one behind another, and waits for other streams are
// CUDA events. Nothing here waits, but for one case: when the tick cannot be launched, the stream is drained and its
// ticket is written by the host.
//
// Thread safety: submit, wait_on and recycled_list by the thread that holds the lease; the rest by any. Locks: mutex_
// (kDeviceQueue) guards events and kept lists; no other queue's mutex is taken with it.
// Invariants:
//  1. submitted_ is stored before the host may find the device lost, and declared loss looks at it afterwards (both
//     sequentially consistent): a list is closed by the device, by its submitter, or by whoever declared the loss.
//  2. The word never decreases: the device adds, the host only raises it.
//  3. Operands that a list owns are kept until its ticket is complete.
//  4. on_stream_ follows submitted_ once the list's tick is on the stream: an event recorded before stands behind less.
//  5. submit() asks for host memory before anything is on the stream; what runs out of it later fails the list.
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

// What the queues of a device share. Does not change while a queue exists, but for what is atomic; outlives them.
struct Engine {
  int device = 0;
  CudaDevice* owner = nullptr;
  const CublasLt* library = nullptr;
  PlanTable* plans = nullptr;
  PinnedMemory* pinned = nullptr;
  LaneSlots* slots = nullptr;
  DeviceLoss loss;
  const Status out_of_host_memory{ErrorKind::kOutOfMemory,
                                  "host memory ran out while a list was put on its stream; the rest of it was skipped"};
  sync::Atomic<bool> parked{false};  // no list begins any more
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
  // Closes everything that is outstanding with `status`; the device is lost.
  void lose(const Status& status);
  // Lists have not ended, and nobody is submitting, who would see a fault: somebody must ask.
  bool unattended() const noexcept { return !submitting_.load(sync::seq_cst) && completed() < submitted(); }
  // Ok, or the fault that the driver reports for this stream.
  Status fault() const;
  // A list that owns operands, and what it owns.
  struct Kept {
    Ticket closes{};
    bool has_custom = false;
    CommandList list;
  };
  // Moves lists that have ended to the end of `ended`, to be destroyed without a lock. A list with a function of the
  // user's, whose destructor is the user's code, only where `with_custom`. Any thread.
  void take_ended(std::list<Kept>& ended, bool with_custom) noexcept;
  void release_ended() noexcept override;
  void add_counts(KernelCounts& counts) const noexcept;

 private:
  // True while the object lives: a list is on its way to the stream.
  class Submitting {
   public:
    explicit Submitting(sync::Atomic<bool>& flag) noexcept : flag_(flag) { flag_.store(true, sync::seq_cst); }
    ~Submitting() { flag_.store(false, sync::seq_cst); }
    Submitting(const Submitting&) = delete;
    Submitting& operator=(const Submitting&) = delete;

   private:
    sync::Atomic<bool>& flag_;
  };
  // The commands of a list; those that were put on the stream are counted.
  Status encode_all(const CommandList& list, TickArgs* tick);
  bool join_tick(const CommandView& command, const std::uint64_t* end, TickArgs* tick) const;
  Status inherited_error();
  void close(const TickArgs& tick, Ticket closes);
  Status close_by_host(Ticket closes);
  void raise_word(Ticket ticket) noexcept;
  // `place`: where the list is kept, if it owns operands.
  void keep_or_recycle(CommandList&& list, Ticket closes, std::list<Kept>&& place) noexcept;

  Engine& engine_;
  const LaneSlot slot_;
  const OwnedStream native_;
  Matmul matmul_;                                                   // the holder's
  Status inherited_;                                                // the holder's: of a failed wait
  CommandList spare_;                                               // the holder's
  std::array<sync::Atomic<std::uint64_t>, kKernelCount> counts_{};  // written by the holder; relaxed: no other data
  sync::Atomic<std::uint64_t> submitted_{0};                        // written by the holder
  sync::Atomic<std::uint64_t> on_stream_{0};                        // written by the holder; release, for wait_on()
  sync::Atomic<bool> submitting_{false};                            // seq_cst against Engine::parked
  sync::Atomic<bool> keeps_{false};                                 // kept_ is not empty
  sync::Mutex mutex_{Rank::kDeviceQueue};
  EventRing events_ HEDDLE_GUARDED_BY(mutex_);
  std::list<Kept> kept_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cuda
