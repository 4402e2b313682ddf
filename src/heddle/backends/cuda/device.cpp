#include "heddle/backends/cuda/device.hpp"

#include <algorithm>
#include <utility>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/kernels/launch.hpp"
#include "heddle/backends/cuda/unseen_by_captures.hpp"

namespace HEDDLE_NS::cuda {

namespace {

// A queue of this device is always a CudaQueue.
CudaQueue& cast(Queue& queue) noexcept { return static_cast<CudaQueue&>(queue); }

}  // namespace

CudaDevice::CudaDevice(Parts parts)
    : info_(std::move(parts.info)),
      pinned_(std::move(parts.pinned)),
      pages_(std::move(parts.pages)),
      slots_(std::move(parts.slots)),
      plans_(std::move(parts.plans)),
      reader_(parts.index) {
  engine_.device = parts.index;
  engine_.owner = this;
  engine_.library = parts.library;
  engine_.plans = plans_.get();
  engine_.pinned = pinned_.get();
  engine_.slots = slots_.get();
}

CudaDevice::~CudaDevice() {
  sync::MutexLock lock(mutex_);
  HEDDLE_CHECK(queues_.empty(), "the CUDA device is destroyed before its queues");
}

MemoryInfo CudaDevice::memory_info() const {
  const CurrentDevice current(engine_.device);
  MemoryInfo info;
  const cudaError_t error = cudaMemGetInfo(&info.free_bytes, &info.total_bytes);
  if (error == cudaSuccess) return info;
  release(error);
  return {};
}

bool CudaDevice::supports(KernelId kernel, Dtype dtype) const noexcept { return has_kernel(kernel, dtype); }

KernelCounts CudaDevice::executed() const {
  sync::MutexLock lock(mutex_);
  KernelCounts counts = retired_;
  for (const CudaQueue* queue : queues_) queue->add_counts(counts);
  return counts;
}

std::size_t CudaDevice::workspace_bytes(const CommandView& command) {
  switch (command.kernel()) {
    case KernelId::kMatmul: return plans_->plan(command.args<MatmulArgs>(), command.dtype()).workspace;
    case KernelId::kSum:
    case KernelId::kMean: return reduce_workspace_bytes(command.args<ReduceArgs>());
    default: return 0;
  }
}

Status CudaDevice::allocate_segment(std::size_t bytes, void** out) {
  *out = nullptr;
  if (engine_.loss.lost()) return engine_.loss.status();
  const UnseenByCaptures unseen(engine_.device);
  Status status = pages_->acquire(bytes, out);
  if (is_lost(status)) lose(status);
  return status;
}

void CudaDevice::release_segment(void* segment, std::size_t bytes) noexcept {
  const UnseenByCaptures unseen(engine_.device);
  pages_->release(segment, bytes);
}

std::shared_ptr<std::byte> CudaDevice::allocate_host(std::size_t bytes) {
  std::shared_ptr<std::byte> memory;
  pinned_->allocate(bytes, &memory).raise();
  return memory;
}

Status CudaDevice::read_memory(void* out, const void* from, std::size_t bytes) {
  if (engine_.loss.lost()) return engine_.loss.status();
  Status status = reader_.read(out, from, bytes);
  if (is_lost(status)) lose(status);
  return status;
}

Status CudaDevice::create_queue(StreamId stream, std::unique_ptr<Queue>* out) {
  const UnseenByCaptures unseen(engine_.device);
  OwnedStream native;
  Status status = make_stream(engine_.device, &native);
  if (!status.ok()) return status;
  LaneSlot slot;
  if (status = slots_->take(native.get(), &slot); !status.ok()) return status;
  auto queue = std::make_unique<CudaQueue>(stream, engine_, std::move(native), std::move(slot));
  sync::MutexLock lock(mutex_);
  queues_.push_back(queue.get());
  *out = std::move(queue);
  return {};
}

void CudaDevice::retire(const CudaQueue& queue) noexcept {
  sync::MutexLock lock(mutex_);
  queue.add_counts(retired_);
  std::erase(queues_, &queue);
}

Status CudaDevice::submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint) {
  return cast(queue).submit(std::move(list), closes);
}

CommandList CudaDevice::recycled_list(Queue& queue) { return cast(queue).recycled_list(); }

Status CudaDevice::wait_on(Queue& queue, Queue& other, Ticket ticket) {
  return cast(queue).wait_on(cast(other), ticket);
}

Status CudaDevice::order_on(Queue& queue, Queue& other, Ticket ticket) {
  return cast(queue).order_on(cast(other), ticket);
}

void CudaDevice::clear_failure(Queue& queue, Ticket last) { cast(queue).clear_failure(last); }

// A query takes the driver's lock, for which launching threads queue, and this thread also polls for tickets. So each
// call queries one stream, in turn. A fault affects the whole device, and every stream reports it.
void CudaDevice::poll() {
  const UnseenByCaptures unseen(engine_.device);
  Status fault;
  std::list<CudaQueue::Kept> ended;  // destroyed without the lock; contains no user code
  {
    sync::MutexLock lock(mutex_);
    for (CudaQueue* queue : queues_) queue->take_ended(ended, false);
    const CudaQueue* const asked = next_unattended();
    if (asked != nullptr) fault = asked->fault();
  }
  if (!fault.ok()) lose(fault);
}

const CudaQueue* CudaDevice::next_unattended() {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    const CudaQueue* const queue = queues_[++turn_ % queues_.size()];
    if (queue->unattended()) return queue;
  }
  return nullptr;
}

bool CudaDevice::busy() const {
  sync::MutexLock lock(mutex_);
  return std::any_of(queues_.begin(), queues_.end(), [](const CudaQueue* queue) { return queue->busy(); });
}

bool CudaDevice::park(sync::Deadline deadline) {
  engine_.parked.store(true, sync::seq_cst);
  while (busy()) {
    if (deadline.passed()) return false;
    sync::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void CudaDevice::lose(const Status& status) {
  engine_.loss.declare(status);
  const Status reason = engine_.loss.status();
  sync::MutexLock lock(mutex_);
  for (CudaQueue* queue : queues_) queue->lose(reason);
}

}  // namespace HEDDLE_NS::cuda
