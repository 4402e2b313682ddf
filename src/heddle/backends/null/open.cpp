// The null backend: every list ends inside submit(), so nothing is ever pending, and no wait has to wait.
// Thread safety: as Device says. Locks: none.
#include <array>
#include <cstdlib>
#include <utility>

#include "heddle/backends/null/open.hpp"

namespace HEDDLE_NS {
namespace {
using Counts = std::array<sync::Atomic<std::uint64_t>, kKernelCount>;

class NullQueue final : public Queue {
 public:
  explicit NullQueue(StreamId stream) : Queue(stream) {}
  // Publishes `closes`, whatever happens.
  Status run(CommandList& list, Ticket closes, Counts& counts) {
    Status status = std::exchange(inherited_, Status());
    const std::uint64_t* at = failures().failing() ? list.end() : list.begin();
    for (; status.ok() && at != list.end(); at = CommandView(at).next()) {
      const auto kernel = static_cast<std::size_t>(CommandView(at).kernel());
      if (kernel < kKernelCount) counts[kernel].fetch_add(1, sync::relaxed);
      if (kernel >= kKernelCount) status = {ErrorKind::kUnsupported, "the null backend has no kernel of this number"};
    }
    if (!status.ok()) failure_log().fail(Ticket{completed().value + 1}, status);
    publish(closes);
    return status;
  }
  void inherit(const Queue& other, Ticket ticket) {
    if (&other != this && inherited_.ok()) inherited_ = other.failures().status_of(ticket);
  }
  void clear_failure(Ticket last) { failure_log().clear(last); }

 private:
  Status inherited_;  // of a failed ticket; fails the next list
};

NullQueue& cast(Queue& queue) noexcept { return static_cast<NullQueue&>(queue); }

class NullDevice final : public Device {
 public:
  NullDevice() {
    info_.backend = info_.name = info_.kernels = "null";
    info_.host_accessible = true;
  }
  const DeviceInfo& info() const noexcept override { return info_; }
  MemoryInfo memory_info() const override { return {}; }  // not known
  bool supports(KernelId kernel, Dtype) const noexcept override { return kernel < KernelId::kCount; }
  KernelCounts executed() const override {
    KernelCounts counts{};
    for (std::size_t i = 0; i < kKernelCount; ++i) counts[i] = counts_[i].load(sync::relaxed);
    return counts;
  }
  Status allocate_segment(std::size_t bytes, void** out) override {
    *out = std::aligned_alloc(info_.segment_granule, bytes);
    if (*out != nullptr) return {};
    return {ErrorKind::kOutOfMemory, [&] { return "the system refused " + std::to_string(bytes) + " bytes"; }};
  }
  void release_segment(void* segment, std::size_t) noexcept override { std::free(segment); }
  Status create_queue(StreamId stream, std::unique_ptr<Queue>* out) override {
    *out = std::make_unique<NullQueue>(stream);
    return {};
  }
  Status submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint) override {
    CommandList taken = std::move(list);
    running_.fetch_add(1, sync::seq_cst);  // before the look at parked_, so that park() sees one of the two
    const bool runs = !parked_.load(sync::seq_cst);
    const Status status = runs ? cast(queue).run(taken, closes, counts_) : Status();
    running_.fetch_sub(1, sync::seq_cst);
    if (runs && queue.watched() && listener_ != nullptr) listener_->on_progress(queue);
    return status;
  }
  CommandList recycled_list(Queue&) override { return {}; }
  Status wait_on(Queue& queue, Queue& other, Ticket ticket) override {
    cast(queue).inherit(other, ticket);
    return {};
  }
  Status order_on(Queue&, Queue&, Ticket) override { return {}; }
  bool help(Queue&, Ticket) override { return false; }
  void clear_failure(Queue& queue, Ticket last) override { cast(queue).clear_failure(last); }
  bool park(sync::Deadline deadline) override {
    parked_.store(true, sync::seq_cst);
    while (running_.load(sync::seq_cst) != 0 && !deadline.passed()) sync::sleep_for(std::chrono::milliseconds(1));
    return running_.load(sync::seq_cst) == 0;
  }
  void set_listener(CompletionListener* listener) override { listener_ = listener; }

 private:
  DeviceInfo info_;
  CompletionListener* listener_ = nullptr;
  Counts counts_{};
  sync::Atomic<std::uint32_t> running_{0};  // threads inside submit()
  sync::Atomic<bool> parked_{false};
};

}  // namespace

Status open_null(std::unique_ptr<Device>* out) {
  *out = std::make_unique<NullDevice>();
  return {};
}

}  // namespace HEDDLE_NS
