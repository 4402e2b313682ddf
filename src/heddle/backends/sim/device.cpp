#include "heddle/backends/sim/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>

#include "heddle/backends/sim/executor.hpp"
#include "heddle/device/kernel_failure.hpp"
#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS {

namespace sim {

namespace {

// A queue of this device is always a SimQueue.
SimQueue& cast(Queue& queue) noexcept { return static_cast<SimQueue&>(queue); }

// The device whose lists the calling thread completes; null when none.
struct SteppingTag;
const SimDevice*& stepping_here() noexcept { return sync::ThreadLocal<const SimDevice*, SteppingTag>::get(); }

}  // namespace

SimQueue::~SimQueue() { device_.retire(*this); }

SimDevice::SimDevice(const SimOptions& options) : auto_run_(options.auto_run), segments_(options.memory_bytes) {
  info_.backend = "sim";
  info_.name = "simulated device";
  info_.kernels = "simulated";
  info_.memory_bytes = options.memory_bytes;
  info_.host_accessible = true;
  info_.announces = options.announces;
  info_.executes_on_caller = options.auto_run;
}

SimDevice::~SimDevice() {
  sync::MutexLock lock(mutex_);
  HEDDLE_CHECK(queues_.empty(), "the simulated device is destroyed before its queues");
}

bool SimDevice::supports(KernelId kernel, Dtype dtype) const noexcept {
  return kernel < KernelId::kCount && dtype == Dtype::kFloat32;
}

KernelCounts SimDevice::executed() const {
  sync::MutexLock lock(mutex_);
  return counts_;
}

Status SimDevice::create_queue(StreamId stream, std::unique_ptr<Queue>* out) {
  if (on_create_queue_) on_create_queue_();
  auto queue = std::make_unique<SimQueue>(stream, *this);
  sync::MutexLock lock(mutex_);
  if (Status fault = std::exchange(queue_fault_, Status{}); !fault.ok()) return fault;
  const auto after = std::upper_bound(queues_.begin(), queues_.end(), stream,
                                      [](StreamId id, const SimQueue* other) { return id < other->stream(); });
  queues_.insert(after, queue.get());
  *out = std::move(queue);
  return {};
}

void SimDevice::retire(const SimQueue& queue) noexcept {
  sync::MutexLock lock(mutex_);
  while (stepping_ && !HEDDLE_PLANT(queue_ends_while_it_tells)) stepped_.wait(mutex_);
  for (const SimQueue::Entry& entry : queue.entries_) {
    HEDDLE_CHECK(entry.other != nullptr, "a simulated queue is destroyed with lists that have not run");
  }
  std::erase(queues_, &queue);
  // Its tickets are complete: whoever still has a wait on it drops it here.
  for (SimQueue* other : queues_) drop_passed_waits(*other);
}

Status SimDevice::submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint) {
  sync::require_host_memory();
  SimQueue& to = cast(queue);
  sync::MutexLock lock(mutex_);
  SimQueue::Entry entry{.list = {}, .ticket = closes};
  const auto delay = delays_.find(queue.stream().value);
  entry.delay_ns = delay == delays_.end() ? 0 : delay->second;
  entry.submitted_ns = now_ns_;
  if (const auto fault = submit_faults_.find(++submits_); fault != submit_faults_.end()) {
    entry.submit_error = fault->second;
  }
  if (!lost_.ok()) entry.submit_error = lost_;
  Status status = entry.submit_error;
  to.entries_.push_back(std::move(entry));  // may throw: the list is taken only then
  to.entries_.back().list = std::move(list);
  if (!lost_.ok()) {
    begin_step();
    lose_pending(to);
    lock.unlock();
    announce(to);
    lock.lock();
    end_step();
  }
  return status;
}

Status SimDevice::wait_on(Queue& queue, Queue& other, Ticket ticket) {
  add_wait(cast(queue), cast(other), ticket, true);
  return {};
}

Status SimDevice::order_on(Queue& queue, Queue& other, Ticket ticket) {
  add_wait(cast(queue), cast(other), ticket, false);
  return {};
}

void SimDevice::add_wait(SimQueue& queue, SimQueue& other, Ticket ticket, bool inherits) {
  if (&queue == &other) return;
  sync::require_host_memory();
  sync::MutexLock lock(mutex_);
  queue.entries_.push_back({.list = {}, .ticket = ticket, .other = &other, .inherits = inherits});
  drop_passed_waits(queue);
}

bool SimDevice::help(Queue& queue, Ticket ticket) {
  return auto_run_ && queue.completed() < ticket && step_until(std::numeric_limits<std::uint64_t>::max());
}

void SimDevice::clear_failure(Queue& queue, Ticket last) { cast(queue).failure_log().clear(last); }

Status SimDevice::lost() const {
  sync::MutexLock lock(mutex_);
  return lost_;
}

bool SimDevice::park(sync::Deadline deadline) {
  sync::MutexLock lock(mutex_);
  parked_ = true;
  // Not for the list that this thread is inside of: a custom operation may have called exit().
  while (stepping_ && stepping_here() != this) {
    if (deadline.passed()) return false;
    stepped_.wait_until(mutex_, deadline);
  }
  return true;
}

void SimDevice::drop_passed_waits(SimQueue& queue) {
  while (!queue.entries_.empty()) {
    const SimQueue::Entry& head = queue.entries_.front();
    if (head.other == nullptr || head.other->completed() < head.ticket) return;
    const Status status = head.inherits ? head.other->failures().status_of(head.ticket) : Status{};
    if (!status.ok() && queue.inherited_.ok() && !HEDDLE_PLANT(device_drops_inherited_errors)) {
      queue.inherited_ = {
          status.kind(),
          [&] { return fmt::format("inherited from stream {}: {}", head.other->stream().value, status.text()); }};
    }
    queue.free_at_ns_ = std::max(queue.free_at_ns_, now_ns_);
    queue.entries_.pop_front();
  }
}

SimDevice::Due SimDevice::due_of(SimQueue& queue) {
  if (queue.entries_.empty() || queue.entries_.front().other != nullptr) return {};
  const SimQueue::Entry& head = queue.entries_.front();
  return {&queue, std::max(queue.free_at_ns_, head.submitted_ns) + head.delay_ns};
}

SimDevice::Due SimDevice::next_due() {
  Due next;
  for (SimQueue* queue : queues_) {  // by stream id, so of equal times the lowest stream is first
    drop_passed_waits(*queue);
    const Due due = due_of(*queue);
    if (due.queue != nullptr && (next.queue == nullptr || due.at_ns < next.at_ns)) next = due;
  }
  return next;
}

bool SimDevice::step_until(std::uint64_t limit_ns) {
  sync::MutexLock lock(mutex_);
  begin_step();
  const Due due = next_due();
  const bool found = !parked_ && due.queue != nullptr && due.at_ns <= limit_ns;
  if (found) complete(due);
  end_step();
  return found;
}

// Called inside a step; the listener is told without the mutex.
void SimDevice::complete(const Due& due) {
  now_ns_ = std::max(now_ns_, due.at_ns);
  due.queue->free_at_ns_ = due.at_ns;
  complete_head(*due.queue);
  for (SimQueue* queue : queues_) drop_passed_waits(*queue);  // at this time, not when somebody looks
  mutex_.unlock();
  announce(*due.queue);
  mutex_.lock();
}

// Called inside a step; the mutex is not held while the list runs and when it goes, as it may hold code of the user's.
void SimDevice::complete_head(SimQueue& queue) {
  SimQueue::Entry entry = std::move(queue.entries_.front());
  queue.entries_.pop_front();
  const std::size_t commands = entry.list.commands();
  const Ticket first{commands == 0 ? entry.ticket.value : entry.ticket.value - commands + 1};
  if (Status inherited = std::exchange(queue.inherited_, Status{}); !inherited.ok()) {
    queue.failure_log().fail(first, std::move(inherited));
  }
  Status status;
  bool runs = !queue.failures().failing();
  if (runs) {
    status = fault_of(queue, entry, first);
    runs = status.ok();
  }
  const std::uint64_t now = now_ns_;
  KernelCounts counts{};
  mutex_.unlock();
  if (runs) status = run(entry.list, now, counts);
  entry.list.clear();
  mutex_.lock();
  for (std::size_t i = 0; i < kKernelCount; ++i) counts_[i] += counts[i];
  if (!status.ok()) queue.failure_log().fail(first, std::move(status));
  queue.publish(entry.ticket);
}

Status SimDevice::fault_of(const SimQueue& queue, const SimQueue::Entry& entry, Ticket first) {
  if (!entry.submit_error.ok()) return entry.submit_error;
  const auto fault = execution_faults_.lower_bound({queue.stream().value, first.value});
  if (fault == execution_faults_.end() || std::pair(queue.stream().value, entry.ticket.value) < fault->first) return {};
  Status status = fault->second;
  execution_faults_.erase(fault);
  return status;
}

Status SimDevice::run(const CommandList& list, std::uint64_t now_ns, KernelCounts& counts) const {
  // Also where what a custom operation threw is destroyed, which is the user's code.
  const sync::NoWaiting no_waiting("a custom operation", sync::NoWaiting::Also::kNoRecording);
  if (Status status = segments_.check(list); !status.ok()) return status;
  for (const std::uint64_t* at = list.begin(); at != list.end();) {
    const CommandView command(at);
    if (!supports(command.kernel(), command.dtype())) {
      return {ErrorKind::kUnsupported, [&] {
                return fmt::format("the sim backend has no kernel of number {}",
                                   static_cast<unsigned>(command.kernel()));
              }};
    }
    try {
      execute(command, list, now_ns);
    } catch (...) {
      return kernel_failure(command);
    }
    ++counts[static_cast<std::size_t>(command.kernel())];
    at = command.next();
  }
  return {};
}

void SimDevice::begin_step() {
  while (stepping_) stepped_.wait(mutex_);
  stepping_ = true;
  stepping_here() = this;
}

void SimDevice::end_step() {
  stepping_ = false;
  stepping_here() = nullptr;
  stepped_.notify_all();
}

void SimDevice::announce(Queue& queue) {
  if (info_.announces && queue.watched() && listener_ != nullptr) listener_->on_progress(queue);
}

// Completes everything of `queue` with the device's error. False when nothing was pending.
bool SimDevice::lose_pending(SimQueue& queue) {
  bool any = false;
  while (!queue.entries_.empty()) {
    if (queue.entries_.front().other != nullptr) {
      queue.entries_.pop_front();
      continue;
    }
    queue.entries_.front().submit_error = lost_;
    complete_head(queue);
    any = true;
  }
  return any;
}

// --- controls ---

std::uint64_t SimDevice::now_ns() const {
  sync::MutexLock lock(mutex_);
  return now_ns_;
}

void SimDevice::set_delay(StreamId stream, std::uint64_t delay_ns) {
  sync::MutexLock lock(mutex_);
  delays_[stream.value] = delay_ns;
}

bool SimDevice::step() { return step_until(std::numeric_limits<std::uint64_t>::max()); }

std::vector<StreamId> SimDevice::ready() {
  sync::MutexLock lock(mutex_);
  std::vector<StreamId> streams;
  for (SimQueue* queue : queues_) {
    drop_passed_waits(*queue);
    if (!parked_ && due_of(*queue).queue != nullptr) streams.push_back(queue->stream());
  }
  return streams;
}

bool SimDevice::step(StreamId stream) {
  sync::MutexLock lock(mutex_);
  begin_step();
  const auto at = std::find_if(queues_.begin(), queues_.end(),
                               [stream](const SimQueue* queue) { return queue->stream() == stream; });
  Due due;
  if (at != queues_.end() && !parked_) {
    drop_passed_waits(**at);
    due = due_of(**at);
  }
  if (due.queue != nullptr) complete(due);
  end_step();
  return due.queue != nullptr;
}

std::size_t SimDevice::advance(std::uint64_t by_ns) {
  const std::uint64_t until = now_ns() + by_ns;
  std::size_t lists = 0;
  while (step_until(until)) ++lists;
  sync::MutexLock lock(mutex_);
  now_ns_ = std::max(now_ns_, until);
  return lists;
}

void SimDevice::fail_submit(std::uint64_t nth, Status status) {
  sync::MutexLock lock(mutex_);
  submit_faults_[submits_ + nth] = std::move(status);
}

void SimDevice::fail_queue(Status status) {
  sync::MutexLock lock(mutex_);
  queue_fault_ = std::move(status);
}

void SimDevice::fail_execution(StreamId stream, Ticket ticket, Status status) {
  sync::MutexLock lock(mutex_);
  execution_faults_[{stream.value, ticket.value}] = std::move(status);
}

void SimDevice::lose(Status status) {
  sync::MutexLock lock(mutex_);
  begin_step();
  if (lost_.ok()) lost_ = std::move(status);
  std::vector<SimQueue*> advanced;
  const std::vector<SimQueue*> queues = queues_;  // none dies before end_step()
  for (SimQueue* queue : queues) {
    if (lose_pending(*queue)) advanced.push_back(queue);
  }
  lock.unlock();
  for (SimQueue* queue : advanced) announce(*queue);
  lock.lock();
  end_step();
}

}  // namespace sim

Status open_sim(const SimOptions& options, std::unique_ptr<Device>* out) {
  *out = std::make_unique<sim::SimDevice>(options);
  return {};
}

}  // namespace HEDDLE_NS
