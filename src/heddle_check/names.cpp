// Human-readable names of operations, choices and failures.
#include "heddle_check/core/operation.hpp"
#include "heddle_check/failure.hpp"
#include "heddle_check/scenario.hpp"
#include "heddle_check/strategy.hpp"

namespace heddle_check {

const char* name_of(OperationKind kind) noexcept {
  switch (kind) {
    case OperationKind::kNone: return "nothing";
    case OperationKind::kLock: return "lock";
    case OperationKind::kLockShared: return "lock shared";
    case OperationKind::kTryLock: return "try_lock";
    case OperationKind::kUnlock: return "unlock";
    case OperationKind::kWait: return "wait";
    case OperationKind::kWake: return "wake";
    case OperationKind::kNotify: return "notify";
    case OperationKind::kLoad: return "load";
    case OperationKind::kStore: return "store";
    case OperationKind::kUpdate: return "update";
    case OperationKind::kFence: return "fence";
    case OperationKind::kFlush: return "flush";
    case OperationKind::kDrain: return "drain";
    case OperationKind::kYield: return "yield";
    case OperationKind::kSleep: return "sleep";
    case OperationKind::kReadClock: return "read clock";
    case OperationKind::kJoin: return "join";
    case OperationKind::kBuffer: return "store in";
    case OperationKind::kCellRead: return "read";
    case OperationKind::kCellWrite: return "write";
  }
  return "?";
}

const char* name_of(ChoiceKind kind) noexcept {
  switch (kind) {
    case ChoiceKind::kThread: return "thread";
    case ChoiceKind::kWaiter: return "waiter";
    case ChoiceKind::kWake: return "wake";
    case ChoiceKind::kRead: return "stale read";
    case ChoiceKind::kWeakFail: return "weak failure";
    case ChoiceKind::kAllocation: return "allocation failure";
    case ChoiceKind::kHost: return "host failure";
    case ChoiceKind::kDevice: return "device";
    case ChoiceKind::kCustom: return "custom";
  }
  return "?";
}

const char* name_of(FailureKind kind) noexcept {
  switch (kind) {
    case FailureKind::kNone: return "none";
    case FailureKind::kOracle: return "oracle";
    case FailureKind::kCheck: return "internal check";
    case FailureKind::kException: return "exception";
    case FailureKind::kDeadlock: return "deadlock";
    case FailureKind::kLostWakeup: return "lost wake-up";
    case FailureKind::kMaskedLostWakeup: return "lost wake-up masked by a timeout";
    case FailureKind::kLivelock: return "livelock";
    case FailureKind::kLockOrder: return "lock order";
    case FailureKind::kLockHeld: return "lock held at a door";
    case FailureKind::kRace: return "data race";
    case FailureKind::kUseAfterDestroy: return "use after destroy";
    case FailureKind::kLeakedThread: return "leaked thread";
    case FailureKind::kMisuse: return "misuse";
    case FailureKind::kDivergence: return "divergence";
  }
  return "?";
}

std::vector<std::string> choice_names(const Limits& limits) {
  std::vector<std::string> names{"thread", "waiter"};
  if (limits.spurious_wakeups != 0) names.emplace_back("spurious wake-up");
  if (limits.timeout_mode == Timeouts::kChoice && limits.timeouts != 0) names.emplace_back("timeout");
  if (limits.timeout_mode == Timeouts::kFirst) names.emplace_back("timeouts first");
  if (limits.stale_reads != 0) names.emplace_back("stale read");
  if (limits.store_buffer != 0) names.emplace_back("store buffer");
  if (limits.weak_failures != 0) names.emplace_back("weak failure");
  if (limits.allocation_failures != 0) names.emplace_back("allocation failure");
  if (limits.host_memory_failures != 0) names.emplace_back("host memory failure");
  if (limits.thread_failures != 0) names.emplace_back("thread failure");
  return names;
}

}  // namespace heddle_check
