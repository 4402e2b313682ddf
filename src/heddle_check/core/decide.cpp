// The scheduling half of Execution: which thread continues, and what happens if none can.
#include "heddle_check/core/execution.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <string>
#include <utility>

namespace heddle_check {
namespace {

constexpr std::uint32_t kMostOptions = 255;  // a decision is a byte

std::string ended_early(std::size_t decisions) {
  return fmt::format(
      "the decision string ends after {} decisions, but the execution continues: the string was truncated", decisions);
}

}  // namespace

void Execution::pick() {
  ThreadState& state = self();
  if (state.starter != kNoThread) [[unlikely]] {
    pass_to(std::exchange(state.starter, kNoThread));
    return;
  }
  const ThreadId next = decide();
  if (next != running_) pass_to(next);
}

ThreadId Execution::decide_once() {
  if (++points_ > limits_->points_max) [[unlikely]] {
    fail(FailureKind::kLivelock, fmt::format("no end within {} operations", limits_->points_max), next_[running_].site);
  }
  ThreadMask options = enabled_;
  if (fairness_.active()) [[unlikely]] {
    fairness_.after(performer_, performer_yields_, enabled_before_, enabled_, threads_count_);
    options = fairness_.filter(options);
  }
  if (waiting_ != 0) options |= wakeable();
  if (options == 0) [[unlikely]]
    options = at_quiescence();
  const ThreadId next = std::has_single_bit(options) ? static_cast<ThreadId>(std::countr_zero(options)) : ask(options);
  const Operation& operation = next_[next];
  add_to_hash(next | static_cast<std::uint64_t>(operation.kind) << 8 |
              static_cast<std::uint64_t>(operation.object) << 16);
  if (observed_) strategy_->observe(next, {next_.data(), enabled_, threads_count_, points_});
  if (recording_) {
    const bool preempts = next != running_ && (options & bit(running_)) != 0 && !self().yields;
    trace_.add({next, operation, objects_.label(operation.object), {}, preempts});
  }
  enabled_before_ = enabled_;
  performer_ = next;
  performer_yields_ = threads_[next].yields;
  return next;
}

ThreadId Execution::ask(ThreadMask options) {
  std::array<ThreadId, kMaxThreads> threads;  // NOLINT: filled below
  std::uint32_t count = 0;
  const ThreadMask own = options & bit(running_);
  const bool may_stay = own != 0 && !self().yields;
  if (may_stay) threads[count++] = running_;
  for (ThreadMask rest = options & ~bit(running_); rest != 0; rest &= rest - 1) {
    threads[count++] = static_cast<ThreadId>(std::countr_zero(rest));
  }
  if (own != 0 && !may_stay) threads[count++] = running_;
  Choice choice;
  choice.kind = ChoiceKind::kThread;
  choice.options = count;
  choice.threads = threads.data();
  choice.running = running_;
  choice.may_stay = may_stay;
  choice.view = {next_.data(), options, threads_count_, points_};
  const std::uint32_t answer = strategy_->choose(choice);
  if (answer >= count) {
    fail(FailureKind::kDivergence,
         answer == kNothingRecorded
             ? ended_early(decisions_.size())
             : fmt::format("decision {} is {}, but only {} threads can continue", decisions_.size(), answer, count),
         next_[running_].site);
  }
  decisions_.push_back(static_cast<std::uint8_t>(answer));
  return threads[answer];
}

std::uint32_t Execution::choose(ChoiceKind kind, std::uint32_t options) {
  if (options < 2) return 0;
  if (options > kMostOptions) {
    fail(FailureKind::kMisuse, fmt::format("a choice among {}; at most {} options", options, kMostOptions),
         next_[running_].site);
  }
  Choice choice;
  choice.kind = kind;
  choice.options = options;
  choice.running = running_;
  choice.view = {next_.data(), enabled_, threads_count_, points_};
  const std::uint32_t answer = strategy_->choose(choice);
  if (answer >= options) {
    fail(FailureKind::kDivergence,
         answer == kNothingRecorded ? ended_early(decisions_.size())
                                    : fmt::format("decision {} is {}, but the {} question has {} answers",
                                                  decisions_.size(), answer, name_of(kind), options),
         next_[running_].site);
  }
  decisions_.push_back(static_cast<std::uint8_t>(answer));
  add_to_hash(answer | static_cast<std::uint64_t>(kind) << 8 | std::uint64_t{1} << 63);
  if (recording_) note(fmt::format("{} {} of {}", name_of(kind), answer, options));
  return answer;
}

void Execution::yield_point(OperationKind kind, Site site) {
  if (!fairness_.active()) fairness_.activate();
  ThreadState& state = self();
  state.yields = true;
  point(kind, kAllObjects, site);
  state.yields = false;
}

void Execution::wait_point(ObjectId condition, Site site) {
  ThreadState& state = self();
  waiting_ |= bit(running_);
  const bool by_time = state.deadline != TimePoint::max();
  const ObjectId object = by_time && !limits_->clock_is_visible ? kAllObjects : condition;
  point({OperationKind::kWake, object, site, by_time}, false);
}

ThreadMask Execution::wakeable() const noexcept {
  if (left_.spurious_wakeups != 0) return waiting_;
  const bool by_choice = limits_->timeout_mode == Timeouts::kChoice && left_.timeouts != 0;
  ThreadMask threads = 0;
  for (ThreadMask rest = waiting_; rest != 0; rest &= rest - 1) {
    const auto thread = static_cast<ThreadId>(std::countr_zero(rest));
    const TimePoint deadline = threads_[thread].deadline;
    if (deadline <= now_ || (by_choice && deadline != TimePoint::max())) threads |= bit(thread);
  }
  return threads;
}

// No thread can continue by itself. First every waiter with a deadline is woken once, as by a spurious wake-up: a
// waiter that does not wait again had what it waited for, but was not notified. Then the earliest deadline passes.
//
// A waiter in a sleep set is never woken here, where waking takes no budget and would be another transition: a waiter
// that could be woken before can still be woken after independent operations, so `options` would not be empty.
ThreadMask Execution::at_quiescence() {
  ThreadId first = kNoThread;
  for (ThreadMask rest = waiting_; rest != 0; rest &= rest - 1) {
    const auto thread = static_cast<ThreadId>(std::countr_zero(rest));
    ThreadState& state = threads_[thread];
    if (state.deadline == TimePoint::max()) continue;
    if (limits_->masked_wakeups && !state.probed) {
      state.forced = ForcedWake::kProbe;
      return bit(thread);
    }
    if (first == kNoThread || state.deadline < threads_[first].deadline) first = thread;
  }
  if (first == kNoThread) {
    fail(waiting_ != 0 ? FailureKind::kLostWakeup : FailureKind::kDeadlock, "no thread can continue",
         next_[running_].site);
  }
  for (ThreadState& state : threads_) state.probed = false;
  threads_[first].forced = ForcedWake::kTimeout;
  return bit(first);
}

}  // namespace heddle_check
