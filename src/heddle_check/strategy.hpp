// Strategy: the decision maker. Every source of nondeterminism of an execution asks in one form: which of n?
//
// The answers, in order, are the execution's trace: the same answers give the same execution. Questions with only one
// possible answer are neither asked nor recorded.
//
// To write one: begin() before each execution, choose() at each question, end() after the execution. If observes() is
// true (sleep sets and POS need that), observe() at every visible operation, with or without a question. Thread safety:
// none; an explorer makes one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

enum class ChoiceKind : std::uint8_t {
  kThread,      // which thread performs its next operation
  kWaiter,      // which waiter a notification wakes
  kWake,        // how a wait without a notification ends: 0 timeout, 1 spurious
  kRead,        // which store a load reads: 0 is the newest
  kWeakFail,    // 1: a weak compare-exchange or a try_lock fails for no reason
  kAllocation,  // 1: the allocation fails
  kHost,        // 1: the host has no memory, or starts no thread
  kDevice,      // a step of a simulated device
  kCustom,      // asked by the scenario
};

const char* name_of(ChoiceKind kind) noexcept;

// A strategy's view of the threads; valid during the call.
struct View {
  const Operation* next;    // by thread: the visible operation that it will perform when chosen
  ThreadMask enabled = 0;   // those that could perform it now
  ThreadId threads = 0;     // the number created so far
  std::uint32_t point = 0;  // visible operations performed before this question
};

struct Choice {
  ChoiceKind kind = ChoiceKind::kThread;
  std::uint32_t options = 0;          // at least 2; the answer is below it
  const ThreadId* threads = nullptr;  // kThread: the thread of each option. The running thread is option 0 if it may go
                                      // on and does not yield, otherwise last; others by number.
  ThreadId running = kNoThread;       // the thread that asks
  bool may_stay = false;              // kThread: option 0 is the running thread; any other is a preemption
  View view;
};

struct Outcome {
  bool failed = false;
  std::uint32_t points = 0;     // visible operations
  std::uint32_t decisions = 0;  // questions answered
};

// The answer of a strategy that has none: the recorded execution ended earlier than this one.
inline constexpr std::uint32_t kNothingRecorded = 0xFFFFFFFF;

class Strategy {
 public:
  Strategy() = default;
  virtual ~Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;

  virtual std::string name() const = 0;
  // False when nothing is left to explore: the search was exhaustive within its bound.
  virtual bool begin() = 0;
  virtual std::uint32_t choose(const Choice& choice) = 0;
  virtual bool observes() const { return false; }
  virtual void observe(ThreadId, const View&) {}
  virtual void end(const Outcome&) {}
  // True if the execution that just ended repeated an explored one (sleep-set blocked).
  virtual bool redundant() const { return false; }
  // The last completed bound, for bounded searches; -1 for others.
  virtual int bound() const { return -1; }
  // The probability with which a failure of the kind that the strategy targets would have been seen by now; -1 if it
  // cannot be computed.
  virtual double confidence() const { return -1; }
  // One readable line on what was explored and what that shows; may be empty.
  virtual std::string summary() const { return {}; }
};

}  // namespace heddle_check
