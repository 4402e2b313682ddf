// How an execution can fail, and how a scenario reports that.
#pragma once

#include <cstdint>
#include <string>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

enum class FailureKind : std::uint8_t {
  kNone,
  kOracle,            // a require() of the scenario
  kCheck,             // an internal check of the code
  kException,         // left a thread's body
  kDeadlock,          // no thread can continue
  kLostWakeup,        // the same, and a thread waits on a condition variable
  kMaskedLostWakeup,  // a waiter's condition holds, no notification will come, and only its timeout would wake it
  kLivelock,          // no end within Limits::points_max operations, under fair schedules
  kLockOrder,         // locks taken in opposite orders (in any two executions), or against their ranks
  kLockHeld,          // a lock is held where none may be
  kRace,              // two accesses to a Cell, one of them a write, and nothing orders them
  kUseAfterDestroy,   // of a primitive; or destroyed while held, waited on or about to be used
  kLeakedThread,      // not joined
  kMisuse,            // unlock by another thread, a recursive lock, and the like
  kDivergence,        // a replayed decision did not fit: another build, another scenario, or hidden nondeterminism
};

const char* name_of(FailureKind kind) noexcept;

// `text` is one line; `details` has more (held locks with their holders, waiting threads).
struct Failure {
  FailureKind kind = FailureKind::kNone;
  std::string text;
  std::string details;
};

// Ends the execution with a failure. Outside an execution, prints one line and aborts. Never returns, runs no
// destructors: what the threads' stacks own is abandoned.
[[noreturn]] void fail(FailureKind kind, std::string text, Site site = Site::current());

// The oracle of a scenario.
inline void require(bool condition, const char* text, Site site = Site::current()) {
  if (!condition) [[unlikely]]
    fail(FailureKind::kOracle, text, site);
}

}  // namespace heddle_check
