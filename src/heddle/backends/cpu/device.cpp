#include "heddle/backends/cpu/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "heddle/backends/cpu/help_chain.hpp"
#include "heddle/backends/cpu/memory_info.hpp"
#include "heddle/backends/cpu/onednn/matmul.hpp"
#include "heddle/backends/cpu/processors.hpp"

namespace HEDDLE_NS {

namespace cpu {

namespace {

// Addresses reserved for segments, in multiples of the machine's memory: slack for fragmentation.
constexpr std::size_t kRangeFactor = 4;

// A queue of this device is always a CpuQueue.
CpuQueue& cast(Queue& queue) noexcept { return static_cast<CpuQueue&>(queue); }

Status out_of_memory(std::size_t bytes, int error) {
  return {ErrorKind::kOutOfMemory,
          fmt::format("the system refused {} bytes of memory: {}", bytes, std::generic_category().message(error))};
}

DeviceInfo describe(const CpuOptions& options) {
  const MemoryReading memory = read_memory_info();
  const Processors processors = read_processors();
  DeviceInfo info;
  info.backend = "cpu";
  info.name = read_processor_name();
  info.kernels = describe_kernels(options.kernels == CpuKernels::kBest);
  info.processors = processors.count;
  info.processors_source = processors.source;
  info.workers = options.workers != 0 ? options.workers : processors.count;
  info.memory_bytes = memory.total_bytes;
  info.memory_source = memory.source;
  info.alignment = 256;
  info.host_accessible = true;
  info.executes_on_caller = true;
  info.has_workers = true;
  return info;
}

}  // namespace

CpuDevice::CpuDevice(const CpuOptions& options)
    : best_(options.kernels == CpuKernels::kBest),
      info_(describe(options)),
      addresses_(kRangeFactor * info_.memory_bytes),
      scheduler_(info_.workers) {
  for (std::size_t i = 0; i < kKernelCount; ++i) engine_.kernels[i] = find_kernel(static_cast<KernelId>(i), best_);
  engine_.scheduler = &scheduler_;
  engine_.device = this;
}

CpuDevice::~CpuDevice() {
  sync::MutexLock lock(mutex_);
  HEDDLE_CHECK(queues_.empty(), "the CPU device is destroyed before its queues");
}

MemoryInfo CpuDevice::memory_info() const {
  const MemoryReading memory = read_memory_info();
  return {memory.free_bytes, memory.total_bytes};
}

bool CpuDevice::supports(KernelId kernel, Dtype dtype) const noexcept { return has_kernel(kernel, dtype); }

KernelCounts CpuDevice::executed() const {
  sync::MutexLock lock(mutex_);
  KernelCounts counts = retired_;
  for (const CpuQueue* queue : queues_) queue->add_counts(counts);
  return counts;
}

Status CpuDevice::preload() { return best_ ? onednn_preload() : Status(); }

Status CpuDevice::allocate_segment(std::size_t bytes, void** out) {
  *out = addresses_.allocate(bytes);
  if (*out != nullptr) return {};
  // If the process may not reserve addresses, or has used them up: from the system's allocator.
  const std::size_t alignment = bytes < AddressRange::kHugePage ? AddressRange::kPage : AddressRange::kHugePage;
  if (const int error = posix_memalign(out, alignment, std::max(bytes, AddressRange::kPage)); error != 0) {
    *out = nullptr;
    return out_of_memory(bytes, error);
  }
  return {};
}

void CpuDevice::release_segment(void* segment, std::size_t bytes) noexcept {
  if (addresses_.contains(segment)) {
    addresses_.release(segment, bytes);
    return;
  }
  // Pages first: the allocator may keep the block, and reports nothing if the system refuses to unmap it.
  discard_pages(segment, bytes / AddressRange::kPage * AddressRange::kPage);
  std::free(segment);
}

Status CpuDevice::create_queue(StreamId stream, std::unique_ptr<Queue>* out) {
  auto queue = std::make_unique<CpuQueue>(stream, engine_);
  sync::MutexLock lock(mutex_);
  queues_.push_back(queue.get());
  *out = std::move(queue);
  return {};
}

void CpuDevice::retire(const CpuQueue& queue) noexcept {
  sync::MutexLock lock(mutex_);
  queue.add_counts(retired_);
  std::erase(queues_, &queue);
}

Status CpuDevice::submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint hint) {
  cast(queue).submit(std::move(list), closes, hint);
  return {};
}

CommandList CpuDevice::recycled_list(Queue& queue) { return cast(queue).recycled_list(); }

Status CpuDevice::wait_on(Queue& queue, Queue& other, Ticket ticket) {
  cast(queue).wait_on(cast(other), ticket, true);
  return {};
}

Status CpuDevice::order_on(Queue& queue, Queue& other, Ticket ticket) {
  cast(queue).wait_on(cast(other), ticket, false);
  return {};
}

bool CpuDevice::help(Queue& queue, Ticket ticket) { return HelpChain(cast(queue), ticket).run(); }

void CpuDevice::clear_failure(Queue& queue, Ticket last) { cast(queue).clear_failure(last); }

bool CpuDevice::park(sync::Deadline deadline) {
  engine_.parked.store(true, sync::seq_cst);
  // Excludes the list that this thread is executing: a custom operation may have called exit().
  const auto any_running = [this] {
    sync::MutexLock lock(mutex_);
    return std::any_of(queues_.begin(), queues_.end(),
                       [](const CpuQueue* queue) { return queue->running_elsewhere(); });
  };
  while (any_running()) {
    if (deadline.passed()) return false;
    sync::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void CpuDevice::set_listener(CompletionListener* listener) { engine_.listener = listener; }

}  // namespace cpu

Status open_cpu(const CpuOptions& options, std::unique_ptr<Device>* out) {
  *out = std::make_unique<cpu::CpuDevice>(options);
  return {};
}

}  // namespace HEDDLE_NS
