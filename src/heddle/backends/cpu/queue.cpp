#include "heddle/backends/cpu/queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "heddle/backends/cpu/device.hpp"
#include "heddle/backends/cpu/help_chain.hpp"
#include "heddle/device/kernel_failure.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/process.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS::cpu {
namespace {

// The queue whose list the calling thread is executing; null if none.
struct ExecutingTag;
const CpuQueue*& executing() noexcept { return sync::ThreadLocal<const CpuQueue*, ExecutingTag>::get(); }

}  // namespace

CpuQueue::~CpuQueue() {
  for (;;) {
    bool scheduled = false;
    {
      sync::MutexLock lock(mutex_);
      const bool has_lists = runnable();
      HEDDLE_CHECK(!has_lists || running_, "a CPU queue is destroyed with lists that have not run");
      if (!running_ && !scheduled_ && head_ == entries_.size() && pins_.load(sync::seq_cst) == 0) break;
      scheduled = scheduled_;
    }
    if (scheduled && engine_.scheduler->remove(*this)) {
      sync::MutexLock lock(mutex_);
      scheduled_ = false;
    } else {
      sync::yield();  // a runner is about to leave, or a trailing wait has yet to pass
    }
  }
  engine_.device->retire(*this);
}

void CpuQueue::submit(CommandList&& list, Ticket closes, SubmitHint hint) {
  bool schedule = false;
  {
    sync::MutexLock lock(mutex_);
    Entry& entry = entries_.emplace_back();  // throws before the list is taken
    entry.list = std::move(list);
    entry.ticket = closes;
    schedule = hint == SubmitHint::kAsynchronous && claim_schedule();
  }
  if (schedule) engine_.scheduler->add(*this, true);
}

void CpuQueue::wait_on(CpuQueue& other, Ticket ticket, bool inherits) {
  if (&other == this) return;
  bool complete = other.completed() >= ticket;
  if (complete && (!inherits || other.failures().status_of(ticket).ok())) return;
  {
    sync::MutexLock lock(mutex_);
    entries_.push_back({.list = {}, .ticket = ticket, .is_wait = true, .inherits = inherits, .other = &other});
  }
  if (!complete) {
    // The runner publishes first and locks this mutex afterwards, so one of the two threads sees the other.
    sync::MutexLock lock(other.mutex_);
    complete = other.completed() >= ticket;
    try {
      if (!complete) other.dependants_.push_back({this, ticket});
    } catch (...) {
      lock.unlock();
      take_back_wait();
      throw;
    }
  }
  if (complete) resolve(other, ticket, other.failures().status_of(ticket), nullptr);
}

// The wait is unresolved and no other thread adds entries, so it is still the last entry.
void CpuQueue::take_back_wait() {
  sync::MutexLock lock(mutex_);
  entries_.pop_back();
}

CommandList CpuQueue::recycled_list() {
  sync::MutexLock lock(mutex_);
  if (recycled_.empty()) return {};
  CommandList list = std::move(recycled_.back());
  recycled_.pop_back();
  return list;
}

void CpuQueue::add_counts(KernelCounts& counts) const noexcept {
  for (std::size_t i = 0; i < kKernelCount; ++i) counts[i] += counts_[i].load(sync::relaxed);
}

CpuQueue::Result CpuQueue::run(Ticket limit, sync::Deadline until, HelpChain* chain) {
  return run_locked(limit, until, chain, false);
}

void CpuQueue::work() {
  {
    sync::MutexLock lock(mutex_);
    // From here on running_ keeps the queue alive; if nothing can run, the pin does until run_locked() returns.
    pins_.fetch_add(1, sync::seq_cst);
    scheduled_ = false;
  }
  Result result{.stop = Stop::kEmpty};
  try {
    result = run_locked(Ticket{std::numeric_limits<std::uint64_t>::max()}, sync::Deadline::at({}), nullptr, true);
  } catch (const Forked&) {
    sync::end_forked_child();
    throw;
  }
  if (result.blocker != nullptr) result.blocker->unpin();
  unpin();
}

void CpuQueue::offer() {
  {
    sync::MutexLock lock(mutex_);
    if (!claim_schedule()) return;
  }
  engine_.scheduler->add(*this, true);
}

CpuQueue::Result CpuQueue::run_locked(Ticket limit, sync::Deadline until, HelpChain* chain, bool is_worker) {
  Result result{.stop = Stop::kEmpty};
  bool schedule = false;
  {
    sync::MutexLock lock(mutex_);
    if (running_) return {.stop = completed() >= limit ? Stop::kReached : Stop::kOccupied};
    if (engine_.parked.load(sync::relaxed)) return {.stop = completed() >= limit ? Stop::kReached : Stop::kEmpty};
    running_ = true;
    for (;;) {
      const bool more = runnable();
      if (completed() >= limit) {
        result.stop = Stop::kReached;
      } else if (!more) {
        if (head_ == entries_.size()) break;
        result.stop = Stop::kBlocked;
        result.blocker = entries_[head_].other;
        result.blocker_ticket = entries_[head_].ticket;
        result.blocker->pins_.fetch_add(1, sync::seq_cst);  // alive: invariant 3
      } else if (engine_.parked.load(sync::relaxed)) {
        break;  // park() reads running_ under this mutex, so it sees every list that started before
      } else if (result.ran && until.passed()) {
        result.stop = Stop::kPaused;
      } else {
        Entry entry = std::move(entries_[head_]);
        Status inherited = std::exchange(inherited_, Status{});
        pop();
        lock.unlock();
        execute(entry, std::move(inherited));
        lock.lock();
        while (const std::optional<Dependant> passed = take_passed()) {
          lock.unlock();
          passed->queue->resolve(*this, passed->ticket, failures().status_of(passed->ticket), chain);
          lock.lock();
        }
        recycle(std::move(entry.list));
        result.ran = true;
        continue;
      }
      break;
    }
    running_ = false;
    // A helper that ran nothing leaves the queue unchanged; its chain offers it at the end.
    schedule = claim_schedule();
  }
  if (schedule) engine_.scheduler->add(*this, !is_worker);
  return result;
}

// Publishes the entry's ticket, whatever happens. Called by the runner, without locks.
void CpuQueue::execute(Entry& entry, Status inherited) {
  const std::size_t commands = entry.list.commands();
  const Ticket first{commands == 0 ? entry.ticket.value : entry.ticket.value - commands + 1};
  if (!inherited.ok()) failure_log().fail(first, std::move(inherited));
  if (!failures().failing()) {
    Status status = execute_commands(entry.list);
    if (!status.ok()) failure_log().fail(first, std::move(status));
  }
  // Cleared before the ticket becomes visible: the list may hold the last tensor of a runtime that ends at that moment,
  // and this thread would then destroy the device that it belongs to.
  entry.list.clear();
  publish(entry.ticket);
  if (watched() && engine_.listener != nullptr) engine_.listener->on_progress(*this);
}

bool CpuQueue::running_elsewhere() const {
  sync::MutexLock lock(mutex_);
  return running_ && executing() != this;
}

Status CpuQueue::execute_commands(const CommandList& list) {
  sync::assert_no_locks_held("a kernel");
  executing() = this;
  KernelContext context{&list};
  std::array<std::uint32_t, kKernelCount> ran{};
  Status status;
  // Covers the destruction of an exception from a custom operation too, which is user code.
  const sync::NoWaiting no_waiting("a custom operation", sync::NoWaiting::Also::kNoRecording);
  for (const std::uint64_t* at = list.begin(); at != list.end();) {
    const CommandView command(at);
    const auto index = static_cast<std::size_t>(command.kernel());
    const Kernel kernel = index < kKernelCount ? engine_.kernels[index] : nullptr;
    if (kernel == nullptr) {
      status = {ErrorKind::kUnsupported, [&] {
                  return fmt::format("the cpu backend has no kernel {} (number {}); the rest of its list was skipped",
                                     kernel_name(command.kernel()), index);
                }};
      break;
    }
    try {
      kernel(command, context);
    } catch (...) {
      status = kernel_failure(command);
    }
    // In the child of a fork in a custom operation, the next step would take a lock that no thread releases.
    sync::require_not_forked();
    if (!status.ok()) break;
    ++ran[index];
    at = command.next();
  }
  for (std::size_t i = 0; i < kKernelCount; ++i) {
    if (ran[i] != 0) counts_[i].store(counts_[i].load(sync::relaxed) + ran[i], sync::relaxed);
  }
  executing() = nullptr;
  return status;
}

std::optional<CpuQueue::Dependant> CpuQueue::take_passed() {
  const auto at = std::find_if(dependants_.begin(), dependants_.end(),
                               [&](const Dependant& dependant) { return dependant.ticket <= completed(); });
  if (at == dependants_.end()) return std::nullopt;
  const Dependant passed = *at;
  dependants_.erase(at);
  return passed;
}

// This queue's wait for `ticket` of `other` is over. Called without locks; this queue outlives the call (invariant 3).
void CpuQueue::resolve(const CpuQueue& other, Ticket ticket, const Status& status, HelpChain* chain) {
  bool schedule = false;
  {
    sync::MutexLock lock(mutex_);
    for (std::size_t i = head_; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      if (entry.other != &other || entry.ticket != ticket) continue;
      entry.other = nullptr;
      if (entry.inherits && !status.ok()) {
        entry.status = {status.kind(), [&] {
                          return fmt::format("inherited from stream {}: {}", other.stream().value, status.text());
                        }};
      }
      break;
    }
    const bool helped = chain != nullptr && chain->contains(*this);
    schedule = !helped && claim_schedule();
  }
  if (schedule) engine_.scheduler->add(*this, true);
}

bool CpuQueue::runnable() {
  while (head_ < entries_.size() && entries_[head_].is_wait && entries_[head_].other == nullptr) {
    if (inherited_.ok()) inherited_ = std::move(entries_[head_].status);
    pop();
  }
  return head_ < entries_.size() && !entries_[head_].is_wait;
}

bool CpuQueue::claim_schedule() {
  if (running_ || scheduled_ || engine_.parked.load(sync::relaxed) || !runnable()) return false;
  scheduled_ = true;
  return true;
}

void CpuQueue::pop() {
  if (++head_ == entries_.size()) {
    entries_.clear();
    head_ = 0;
  } else if (head_ >= 64 && head_ * 2 >= entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void CpuQueue::recycle(CommandList&& list) {
  if (recycled_.size() < kMostRecycled) recycled_.push_back(std::move(list));
}

}  // namespace HEDDLE_NS::cpu
