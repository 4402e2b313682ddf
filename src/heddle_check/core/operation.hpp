// What a thread is about to do: the vocabulary that primitives, scheduler, strategies and reports share.
//
// A *visible* operation is one whose order against other threads' operations can matter. Each is announced before it is
// performed; between two of its visible operations a thread runs alone. Operations that commute with whatever others
// can do at that moment are not visible: unlock, start, exit, join of a thread that has ended.
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

// Objects are numbered in the order of their first use in the execution, so that numbers repeat where addresses do not.
using ObjectId = std::uint32_t;
inline constexpr ObjectId kNoObject = 0;    // no object: independent of every other operation
inline constexpr ObjectId kAllObjects = 1;  // the clock, a fence on all threads: depends on every other operation
inline constexpr ObjectId kFirstObject = 2;

enum class OperationKind : std::uint8_t {
  kNone,
  kLock,
  kLockShared,
  kTryLock,
  kUnlock,  // only where Limits::unlock_is_visible
  kWait,    // gives the mutex up and begins to wait
  kWake,    // a wait ends without having been notified
  kNotify,
  kLoad,
  kStore,
  kUpdate,  // read-modify-write
  kFence,
  kBuffer,  // a store enters its thread's buffer
  kFlush,   // a store leaves its thread's buffer: becomes visible
  kDrain,   // waits until stores of its own are visible; concerns nobody else
  kYield,
  kSleep,
  kReadClock,  // only where Limits::clock_is_visible
  kJoin,
  // Only rows of a printed trace: accesses to cells are no visible operations.
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

// True when the order of the two can matter. Sleep sets are sound only as far as this never answers false wrongly.
//
// The end of a wait with a deadline takes from its condition variable and from the budgets of wake-ups, and may move
// the clock. Who can tell that the clock moved: other ends of waits (they depend on each other), yields and sleeps
// (they depend on everything), and whoever reads it. A reading is no operation but where Limits::clock_is_visible, so
// without that the end of such a wait may matter to the part of a thread behind any operation: its object is
// kAllObjects. With it, nothing else is left: its object is its condition variable, and it depends on readings besides.
//
// A fence is on all objects where stores can be seen late. Where they cannot, it changes only what its own thread knows
// (and ThreadSanitizer's clock of all fences): it depends on other fences alone.
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
