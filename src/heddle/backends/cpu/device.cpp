#include "heddle/backends/cpu/device.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "heddle/backends/cpu/help_chain.hpp"
#include "heddle/backends/cpu/memory_info.hpp"
#include "heddle/backends/cpu/onednn/matmul.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

namespace cpu {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
// From this size on, segments are mapped, at a multiple of it, so that they can lie in huge pages.
constexpr std::size_t kMapFrom = kHugePage;

// A queue of this device is always a CpuQueue.
CpuQueue& cast(Queue& queue) noexcept { return static_cast<CpuQueue&>(queue); }

Status out_of_memory(std::size_t bytes, int error) {
  return {ErrorKind::kOutOfMemory,
          fmt::format("the system refused {} bytes of memory: {}", bytes, std::generic_category().message(error))};
}

// Maps `bytes` at a multiple of kHugePage; null when the system refuses, errno then says why.
std::byte* map_aligned(std::size_t bytes) {
  const std::size_t whole = (bytes + kPage - 1) / kPage * kPage;
  const std::size_t mapped = whole + kHugePage - kPage;
  void* const mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  auto* const first = static_cast<std::byte*>(mapping);
  const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(first) % kHugePage) % kHugePage;
  const std::size_t after = mapped - before - whole;
  // What is too much goes back; where that is refused, it stays reserved and never becomes memory.
  if (before > 0) munmap(first, before);
  if (after > 0) munmap(first + before + whole, after);
  return first + before;
}

}  // namespace

CpuDevice::CpuDevice(const CpuOptions& options)
    : best_(options.kernels == CpuKernels::kBest),
      scheduler_(options.workers != 0 ? options.workers : sync::available_processors()) {
  info_.backend = "cpu";
  info_.name = read_processor_name();
  info_.kernels = describe_kernels(best_);
  info_.processors = sync::available_processors();
  info_.memory_bytes = read_memory_info().total_bytes;
  info_.alignment = 256;
  info_.host_accessible = true;
  info_.executes_on_caller = true;
  info_.has_workers = true;
  for (std::size_t i = 0; i < kKernelCount; ++i) engine_.kernels[i] = find_kernel(static_cast<KernelId>(i), best_);
  engine_.scheduler = &scheduler_;
  engine_.device = this;
}

CpuDevice::~CpuDevice() {
  sync::MutexLock lock(mutex_);
  HEDDLE_CHECK(queues_.empty(), "the CPU device is destroyed before its queues");
}

MemoryInfo CpuDevice::memory_info() const { return read_memory_info(); }

bool CpuDevice::supports(KernelId kernel, Dtype dtype) const noexcept {
  return kernel < KernelId::kCount && (dtype == Dtype::kFloat32 || has_half_precision(kernel)) &&
         engine_.kernels[static_cast<std::size_t>(kernel)] != nullptr;
}

KernelCounts CpuDevice::executed() const {
  sync::MutexLock lock(mutex_);
  KernelCounts counts = retired_;
  for (const CpuQueue* queue : queues_) queue->add_counts(counts);
  return counts;
}

Status CpuDevice::preload() {
  if (best_) onednn_preload();
  return {};
}

std::size_t CpuDevice::workspace_bytes(const MatmulArgs& args, Dtype dtype) {
  return dtype == Dtype::kFloat32 ? matmul_workspace_bytes(args, best_) : 0;
}

Status CpuDevice::allocate_segment(std::size_t bytes, void** out) {
  if (bytes < kMapFrom) {
    if (const int error = posix_memalign(out, kPage, std::max(bytes, kPage)); error != 0) {
      *out = nullptr;
      return out_of_memory(bytes, error);
    }
    return {};
  }
  void* const segment = map_aligned(bytes);
  if (segment == nullptr) {
    *out = nullptr;
    return out_of_memory(bytes, errno);
  }
  madvise(segment, bytes, MADV_HUGEPAGE);  // advice: where it is refused, pages are small
  *out = segment;
  return {};
}

void CpuDevice::release_segment(void* segment, std::size_t bytes) noexcept {
  if (bytes < kMapFrom) {
    std::free(segment);
  } else {
    HEDDLE_CHECK(munmap(segment, bytes) == 0, "a segment is released that was not allocated with this size");
  }
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
  cast(queue).wait_on(cast(other), ticket);
  return {};
}

bool CpuDevice::help(Queue& queue, Ticket ticket) { return HelpChain(cast(queue), ticket).run(); }

void CpuDevice::clear_failure(Queue& queue, Ticket last) { cast(queue).clear_failure(last); }

bool CpuDevice::park(sync::Deadline deadline) {
  engine_.parked.store(true, sync::seq_cst);
  const auto any_running = [this] {
    sync::MutexLock lock(mutex_);
    return std::any_of(queues_.begin(), queues_.end(), [](const CpuQueue* queue) { return queue->running(); });
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
