// A thread's next step: the vocabulary shared by primitives, scheduler, strategies and reports.
//
// A *visible* operation is one whose order against other threads' operations can matter. Each is announced before it is
// performed; between two of its visible operations a thread runs alone. Operations that commute with everything that
// other threads can do at that moment are not visible: unlock, start, exit, join of a thread that has ended.
#pragma once

#include <cstdint>
#include <source_location>

namespace heddle_check {

using Site = std::source_location;

// Threads of one execution are numbered in the order of their creation; 0 runs the scenario's body.
using ThreadId = std::uint32_t;
using ThreadMask = std::uint32_t;
inline constexpr ThreadId kMaxThreads = 32;
inline constexpr ThreadId kNoThread = kMaxThreads;
constexpr ThreadMask bit(ThreadId thread) noexcept { return ThreadMask{1} << thread; }

// Objects are numbered in the order of first use in the execution, so that numbers repeat where addresses do not.
using ObjectId = std::uint32_t;
inline constexpr ObjectId kNoObject = 0;    // no object: independent of every other operation
inline constexpr ObjectId kAllObjects = 1;  // the clock, a fence on all threads: depends on every other operation
inline constexpr ObjectId kFirstObject = 2;

enum class OperationKind : std::uint8_t {
  kNone,
  kLock,
  kLockShared,
  kTryLock,
  kUnlock,  // only with Limits::unlock_is_visible
  kWait,    // releases the mutex and begins to wait
  kWake,    // a wait ends without a notification
  kNotify,
  kLoad,
  kStore,
  kUpdate,  // read-modify-write
  kFence,
  kBuffer,  // a store enters its thread's buffer
  kFlush,   // a store leaves its thread's buffer: becomes visible
  kDrain,   // waits until the thread's own stores are visible; concerns no other thread
  kYield,
  kSleep,
  kReadClock,  // only with Limits::clock_is_visible
  kJoin,
  // Only rows of a printed trace: accesses to cells are not visible operations.
  kCellRead,
  kCellWrite,
};

const char* name_of(OperationKind kind) noexcept;

struct Operation {
  OperationKind kind = OperationKind::kNone;
  ObjectId object = kNoObject;
  Site site{};
  bool moves_clock = false;  // the end of a wait with a deadline
};

constexpr bool only_reads(OperationKind kind) noexcept { return kind == OperationKind::kLoad; }

// True if the order of the two can matter. Sleep sets are sound only if this is never wrongly false.
//
// The end of a wait with a deadline affects its condition variable and the budgets of wake-ups, and may move the clock.
// These can notice a moved clock: other ends of waits (they depend on each other), yields and sleeps (they depend on
// everything), and readings of the clock. A reading is an operation only with Limits::clock_is_visible. Without it, the
// end of such a wait may matter to the code after any operation, so its object is kAllObjects. With it, no other effect
// is left: its object is its condition variable, and it also depends on readings.
//
// A fence is on all objects if stores can be seen late. Otherwise it changes only its own thread's knowledge (and
// ThreadSanitizer's clock of all fences), so it depends only on other fences.
constexpr bool dependent(const Operation& a, const Operation& b) noexcept {
  if (a.kind == OperationKind::kReadClock || b.kind == OperationKind::kReadClock) {
    return a.moves_clock || b.moves_clock || a.object == kAllObjects || b.object == kAllObjects;
  }
  if (a.kind == OperationKind::kFence && b.kind == OperationKind::kFence) return true;
  if (a.object == kNoObject || b.object == kNoObject) return false;
  if (a.object == kAllObjects || b.object == kAllObjects) return true;
  // Wake-ups without a notification draw on one budget.
  if (a.kind == OperationKind::kWake && b.kind == OperationKind::kWake) return true;
  return a.object == b.object && !(only_reads(a.kind) && only_reads(b.kind));
}

}  // namespace heddle_check
