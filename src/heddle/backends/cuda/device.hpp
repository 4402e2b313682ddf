// CudaDevice: one NVIDIA GPU.
//
// Its kernels are loaded when it opens. The device writes tickets into pinned memory and notifies no thread
// (DeviceInfo::announces is false): the library's poller reads them, and calls poll() to query the driver for faults.
//
// Thread safety: as Device says. Locks: mutex_ (kDevice) guards the list of queues; it is held during a query of a
// stream, so that no queue is destroyed meanwhile.
// Invariants: 1. A queue leaves queues_ before it is destroyed, and its counts stay in retired_. 2. Once the device is
// lost, no list is put on a stream, and the host closes every ticket.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "heddle/backends/cuda/lane_slots.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/backends/cuda/pages/page_source.hpp"
#include "heddle/backends/cuda/pinned.hpp"
#include "heddle/backends/cuda/queue.hpp"
#include "heddle/backends/cuda/reader.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

inline bool is_lost(const Status& status) noexcept { return status.kind() == ErrorKind::kDeviceLost; }

class CudaDevice final : public Device {
 public:
  // The results of open_cuda().
  struct Parts {
    int index = 0;
    DeviceInfo info;
    const CublasLt* library = nullptr;
    std::unique_ptr<PageSource> pages;
    std::shared_ptr<PinnedMemory> pinned;
    std::unique_ptr<LaneSlots> slots;
    std::unique_ptr<PlanTable> plans;
  };
  explicit CudaDevice(Parts parts);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  const DeviceInfo& info() const noexcept override { return info_; }
  MemoryInfo memory_info() const override;
  bool supports(KernelId kernel, Dtype dtype) const noexcept override;
  KernelCounts executed() const override;
  std::size_t workspace_bytes(const CommandView& command) override;

  Status allocate_segment(std::size_t bytes, void** out) override;
  void release_segment(void* segment, std::size_t bytes) noexcept override;
  std::shared_ptr<std::byte> allocate_host(std::size_t bytes) override;
  Status read_memory(void* out, const void* from, std::size_t bytes) override;

  Status create_queue(StreamId stream, std::unique_ptr<Queue>* out) override;
  Status submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint hint) override;
  CommandList recycled_list(Queue& queue) override;
  Status wait_on(Queue& queue, Queue& other, Ticket ticket) override;
  Status order_on(Queue& queue, Queue& other, Ticket ticket) override;
  bool help(Queue&, Ticket) override { return false; }
  void clear_failure(Queue& queue, Ticket last) override;

  Status lost() const override { return engine_.loss.status(); }
  void poll() override;
  bool busy() const override;
  bool park(sync::Deadline deadline) override;
  void set_listener(CompletionListener*) override {}  // never notified: see info().announces

  // Declares the device lost and closes every outstanding ticket with `status`. Any thread, without locks.
  void lose(const Status& status);
  // Called by a queue's destructor.
  void retire(const CudaQueue& queue) noexcept;

 private:
  // The next unattended queue, round-robin; null if there is none.
  const CudaQueue* next_unattended() HEDDLE_REQUIRES(mutex_);

  DeviceInfo info_;
  const std::shared_ptr<PinnedMemory> pinned_;
  const std::unique_ptr<PageSource> pages_;
  const std::unique_ptr<LaneSlots> slots_;
  const std::unique_ptr<PlanTable> plans_;
  Reader reader_;
  Engine engine_;
  mutable sync::Mutex mutex_{Rank::kDevice};
  std::vector<CudaQueue*> queues_ HEDDLE_GUARDED_BY(mutex_);
  std::size_t turn_ HEDDLE_GUARDED_BY(mutex_) = 0;  // index of the queue that was queried last
  KernelCounts retired_ HEDDLE_GUARDED_BY(mutex_){};
};

}  // namespace HEDDLE_NS::cuda
