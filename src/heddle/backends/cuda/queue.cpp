#include "heddle/backends/cuda/queue.hpp"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/device.hpp"

namespace HEDDLE_NS::cuda {

namespace {

// A custom operation is capturing its stream.
bool is_of_captures(cudaError_t error) noexcept {
  return error >= cudaErrorStreamCaptureUnsupported && error <= cudaErrorStreamCaptureWrongThread;
}

}  // namespace

CudaQueue::CudaQueue(StreamId stream, Engine& engine, OwnedStream native, LaneSlot slot)
    : Queue(stream, slot.word()),
      engine_(engine),
      slot_(std::move(slot)),
      native_(std::move(native)),
      matmul_(*engine.library, *engine.plans, engine.device),
      events_(engine.device) {}

CudaQueue::~CudaQueue() {
  HEDDLE_CHECK(!busy(), "a CUDA queue is destroyed with lists that have not run");
  engine_.owner->retire(*this);
}

Status CudaQueue::submit(CommandList&& list, Ticket closes) {
  std::list<Kept> place;
  take_ended(place, true);
  place.clear();
  if (list.owns_operands()) place.emplace_back();
  const Submitting submitting(submitting_);
  if (engine_.parked.load(sync::seq_cst)) {
    keep_or_recycle(std::move(list), closes, std::move(place));
    return {};
  }
  const CurrentDevice current(engine_.device);
  const std::uint64_t before = submitted_.load(sync::relaxed);
  TickArgs tick{slot_.record(), slot_.device_word(), closes.value - before, {}, {}};
  Status status = inherited_error();
  if (status.ok() && engine_.loss.lost()) status = engine_.loss.status();
  if (status.ok() && !failures().failing()) status = encode_all(list, &tick);
  if (!status.ok()) {
    failure_log().fail(Ticket{before + 1}, status);  // before the ticket becomes visible
    tick.advance = {};
    tick.copy = {};
  }
  submitted_.store(closes.value, sync::seq_cst);
  if (is_lost(status)) {
    engine_.owner->lose(status);
  } else {
    close(tick, closes);
  }
  on_stream_.store(closes.value, sync::release);
  if (engine_.loss.lost()) lose(engine_.loss.status());
  keep_or_recycle(std::move(list), closes, std::move(place));
  return status;
}

Status CudaQueue::inherited_error() { return std::exchange(inherited_, Status{}); }

Status CudaQueue::encode_all(const CommandList& list, TickArgs* tick) {
  const EncodeContext context{engine_.device, native_.get(), matmul_, *engine_.pinned, list};
  std::array<std::uint32_t, kKernelCount> ran{};
  Status status;
  for (const std::uint64_t* at = list.begin(); at != list.end();) {
    const CommandView command(at);
    if (!join_tick(command, list.end(), tick)) {
      try {
        status = encode(command, context);
      } catch (const std::bad_alloc&) {
        status = engine_.out_of_host_memory;
      }
      if (!status.ok()) break;
    }
    ++ran[static_cast<std::size_t>(command.kernel())];
    at = command.next();
  }
  for (std::size_t i = 0; i < kKernelCount; ++i) {
    if (ran[i] != 0) counts_[i].store(counts_[i].load(sync::relaxed) + ran[i], sync::relaxed);
  }
  return status;
}

// The tick kernel itself does the usual end of a list (results copied to the host, a generator's advance): one launch
// instead of three. True if `command` belongs to that end and was added to the tick.
bool CudaQueue::join_tick(const CommandView& command, const std::uint64_t* end, TickArgs* tick) const {
  if (command.kernel() == KernelId::kAdvance) {
    if (command.next() != end) return false;
    tick->advance = command.args<AdvanceArgs>();
    return true;
  }
  if (command.kernel() != KernelId::kCopyBytes) return false;
  const bool last = command.next() == end;
  const bool before_advance =
      !last && CommandView(command.next()).kernel() == KernelId::kAdvance && CommandView(command.next()).next() == end;
  const auto args = command.args<CopyBytesArgs>();
  if ((!last && !before_advance) || args.bytes == 0 || !fits_tick(args)) return false;
  if (!engine_.pinned->contains(args.out, args.bytes)) return false;
  tick->copy = args;
  return true;
}

void CudaQueue::close(const TickArgs& tick, Ticket closes) {
  Status status = call("the end of a list", [&] { return launch_tick(tick, native_.get()); });
  if (status.ok()) [[likely]]
    return;
  failure_log().fail(Ticket{closes.value - tick.commands + 1}, status);
  if (!is_lost(status)) status = close_by_host(closes);
  if (!status.ok()) engine_.owner->lose(status.as(ErrorKind::kDeviceLost));
}

// Does the tick kernel's work by waiting for the stream.
Status CudaQueue::close_by_host(Ticket closes) {
  Status status = call("cudaStreamSynchronize", [&] { return cudaStreamSynchronize(native_.get()); });
  if (!status.ok()) return status;
  const LaneRecord record{closes.value};
  status = call("cudaMemcpyAsync", [&] {
    return cudaMemcpyAsync(slot_.record(), &record, sizeof(record), cudaMemcpyHostToDevice, native_.get());
  });
  if (!status.ok()) return status;
  status = call("cudaStreamSynchronize", [&] { return cudaStreamSynchronize(native_.get()); });
  if (status.ok()) raise_word(closes);
  return status;
}

void CudaQueue::raise_word(Ticket ticket) noexcept {
  std::uint64_t seen = slot_.word()->load(sync::relaxed);
  while (seen < ticket.value && !slot_.word()->compare_exchange_weak(seen, ticket.value, sync::seq_cst)) {
  }
}

// On a truly lost device this returns immediately. When tests simulate the loss, it drains the stream, so that the
// device cannot overwrite newer tickets with older ones.
void CudaQueue::lose(const Status& status) {
  const CurrentDevice current(engine_.device);
  release(cudaStreamSynchronize(native_.get()));
  const Ticket last = submitted();
  const Ticket done = completed();
  if (done >= last) return;
  failure_log().fail(Ticket{done.value + 1}, status);
  raise_word(last);
}

void CudaQueue::keep_or_recycle(CommandList&& list, Ticket closes, std::list<Kept>&& place) noexcept {
  if (place.empty()) {
    list.clear();
    spare_ = std::move(list);
    return;
  }
  bool has_custom = false;
  for (const std::uint64_t* at = list.begin(); at != list.end() && !has_custom; at = CommandView(at).next()) {
    has_custom = CommandView(at).kernel() == KernelId::kCustom;
  }
  place.front() = {closes, has_custom, std::move(list)};
  sync::MutexLock lock(mutex_);
  kept_.splice(kept_.end(), place);
  keeps_.store(true, sync::relaxed);
}

void CudaQueue::take_ended(std::list<Kept>& ended, bool with_custom) noexcept {
  if (!keeps_.load(sync::relaxed)) return;
  sync::MutexLock lock(mutex_);
  const Ticket done = completed();
  for (auto at = kept_.begin(); at != kept_.end() && at->closes <= done;) {
    const auto here = at++;
    if (with_custom || !here->has_custom) ended.splice(ended.end(), kept_, here);
  }
  keeps_.store(!kept_.empty(), sync::relaxed);
}

void CudaQueue::release_ended() noexcept {
  std::list<Kept> ended;
  take_ended(ended, true);
}

// Any stream reports the faults of the whole device. Any other error that makes a query fail, for example after a reset
// of the device, would leave the stream's tickets open forever, so it counts as a fault.
Status CudaQueue::fault() const {
  const cudaError_t error = cudaStreamQuery(native_.get());
  if (error == cudaSuccess) return {};
  cudaGetLastError();
  if (error == cudaErrorNotReady || is_of_captures(error)) return {};
  return to_status(error, "the device reported a fault").as(ErrorKind::kDeviceLost);
}

Status CudaQueue::wait_on(CudaQueue& other, Ticket ticket) {
  if (&other == this) return {};
  if (const Status failed = other.failures().status_of(ticket); !failed.ok()) {
    if (inherited_.ok()) {
      inherited_ = {failed.kind(),
                    [&] { return fmt::format("inherited from stream {}: {}", other.stream().value, failed.text()); }};
    }
    return {};
  }
  return order_on(other, ticket);
}

Status CudaQueue::order_on(CudaQueue& other, Ticket ticket) {
  if (&other == this || other.completed() >= ticket || engine_.loss.lost()) return {};
  const CurrentDevice current(engine_.device);
  cudaEvent_t event = nullptr;
  Status status;
  {
    // Recording may wait for room on the other stream; only threads that wait for that stream block here meanwhile.
    sync::MutexLock lock(other.mutex_);
    const Ticket on_stream{other.on_stream_.load(sync::acquire)};
    status = other.events_.behind(ticket, on_stream, other.native_.get(), &event);
  }
  if (status.ok()) status = call("cudaStreamWaitEvent", [&] { return cudaStreamWaitEvent(native_.get(), event, 0); });
  if (is_lost(status)) engine_.owner->lose(status);
  return status;
}

void CudaQueue::add_counts(KernelCounts& counts) const noexcept {
  for (std::size_t i = 0; i < kKernelCount; ++i) counts[i] += counts_[i].load(sync::relaxed);
}

}  // namespace HEDDLE_NS::cuda
