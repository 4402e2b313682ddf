// CpuDevice: memory, kernels and queues on the host processor.
//
// Thread safety: as Device says. Locks: mutex_ (kDevice) guards the list of queues, for the counts.
// Invariants: 1. kernels and listener do not change once a queue exists. 2. A queue leaves queues_ before it is
// destroyed, and its counts stay in retired_.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "heddle/backends/cpu/address_range.hpp"
#include "heddle/backends/cpu/open.hpp"
#include "heddle/backends/cpu/queue.hpp"
#include "heddle/backends/cpu/scheduler.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cpu {

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(const CpuOptions& options);
  ~CpuDevice() override;
  CpuDevice(const CpuDevice&) = delete;
  CpuDevice& operator=(const CpuDevice&) = delete;

  const DeviceInfo& info() const noexcept override { return info_; }
  MemoryInfo memory_info() const override;
  bool supports(KernelId kernel, Dtype dtype) const noexcept override;
  KernelCounts executed() const override;
  Status preload() override;

  Status allocate_segment(std::size_t bytes, void** out) override;
  void release_segment(void* segment, std::size_t bytes) noexcept override;

  Status create_queue(StreamId stream, std::unique_ptr<Queue>* out) override;
  Status submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint hint) override;
  CommandList recycled_list(Queue& queue) override;
  Status wait_on(Queue& queue, Queue& other, Ticket ticket) override;
  Status order_on(Queue& queue, Queue& other, Ticket ticket) override;
  bool help(Queue& queue, Ticket ticket) override;
  void clear_failure(Queue& queue, Ticket last) override;
  void set_listener(CompletionListener* listener) override;
  bool park(sync::Deadline deadline) override;

  // Called by a queue's destructor.
  void retire(const CpuQueue& queue) noexcept;

 private:
  const bool best_;
  const DeviceInfo info_;
  AddressRange addresses_;
  Engine engine_;
  mutable sync::Mutex mutex_{Rank::kDevice};
  std::vector<const CpuQueue*> queues_ HEDDLE_GUARDED_BY(mutex_);
  KernelCounts retired_ HEDDLE_GUARDED_BY(mutex_){};
  Scheduler scheduler_;  // last: its workers end before everything they use
};

}  // namespace HEDDLE_NS::cpu
