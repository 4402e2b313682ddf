// Execution: one run of a scenario, from decision to decision. The scheduler.
//
// The running party decides which thread continues: a thread announces its next visible operation, the strategy chooses
// among all threads that could perform theirs, and control moves only if another thread was chosen. So a decision by
// itself costs no switch.
//
// The semantics of the primitives are in their own files (mutex.cpp, atomic.cpp, ...); this class has what they share:
// threads, time, choices, the trace. Thread safety: only the running party calls.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/core/carriers.hpp"
#include "heddle_check/core/fairness.hpp"
#include "heddle_check/core/history.hpp"
#include "heddle_check/core/lock_order.hpp"
#include "heddle_check/core/object.hpp"
#include "heddle_check/core/store_buffers.hpp"
#include "heddle_check/core/thread_state.hpp"
#include "heddle_check/core/trace.hpp"
#include "heddle_check/decisions.hpp"
#include "heddle_check/failure.hpp"
#include "heddle_check/scenario.hpp"
#include "heddle_check/strategy.hpp"

namespace heddle_check {

class Execution {
 public:
  Execution(Carriers& carriers, LockOrder& lock_order) : carriers_(carriers), lock_order_(lock_order) {}
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // The execution of the calling thread; null outside of one.
  static Execution* current() noexcept { return current_; }

  // --- for the explorer ---
  void run(const Scenario& scenario, Strategy& strategy, bool record);
  const Failure& failure() const noexcept { return failure_; }
  const DecisionList& decisions() const noexcept { return decisions_; }
  std::uint64_t trace_hash() const noexcept { return hash_; }
  std::uint32_t points() const noexcept { return points_; }
  ThreadId threads() const noexcept { return threads_count_; }
  std::string printed_trace() const;

  // --- threads ---
  ThreadId running() const noexcept { return running_; }
  ThreadState& self() noexcept { return threads_[running_]; }
  ThreadState& thread(ThreadId id) noexcept { return threads_[id]; }
  const ThreadState& thread(ThreadId id) const noexcept { return threads_[id]; }
  ThreadId spawn(std::string name, std::function<void()> body, Site site);
  void join(ThreadId target, Site site);

  // --- visible operations ---
  // Announces the calling thread's next operation and returns when it was chosen; from then until its next operation,
  // no other thread runs. `enabled`: the operation can be performed now; if not, another thread calls enable().
  void point(OperationKind kind, ObjectId object, Site site, bool enabled = true) {
    point({kind, object, site}, enabled);
  }
  void point(const Operation& operation, bool enabled) {
    next_[running_] = operation;
    if (enabled) {
      enabled_ |= bit(running_);
    } else {
      enabled_ &= ~bit(running_);
    }
    pick();
  }
  // For a thread that is not running: its operation, and whether it can be performed.
  void enable(ThreadMask threads) noexcept { enabled_ |= threads; }
  void disable(ThreadMask threads) noexcept { enabled_ &= ~threads; }
  const Operation& next(ThreadId thread) const noexcept { return next_[thread]; }
  void set_next(ThreadId thread, const Operation& operation) noexcept { next_[thread] = operation; }
  // The calling thread gives other threads a turn.
  void yield_point(OperationKind kind, Site site);
  // The calling thread waits on a condition variable (named in its ThreadState) until it is chosen.
  void wait_point(ObjectId condition, Site site);
  void end_wait(ThreadId thread) noexcept { waiting_ &= ~bit(thread); }

  // --- store buffers ---
  StoreBuffers& buffers() noexcept { return buffers_; }
  // For a store of the calling thread that becomes visible later: its operation, which waits while the buffer is full,
  // and then the store itself.
  void buffer_point(Site site);
  void buffer_store(PendingStore store);
  // Like point(), for an operation that is performed only when all stores of the calling thread are visible.
  void drained_point(OperationKind kind, ObjectId object, Site site);
  // Returns when all stores of the calling thread are visible; no operation if they already are.
  void drain(Site site);
  // Returns when all earlier stores of other threads are visible; each becomes so at its own moment, while the other
  // threads continue.
  void drain_others(Site site);

  // --- choices, budgets, time ---
  std::uint32_t choose(ChoiceKind kind, std::uint32_t options);
  struct Budgets {
    std::uint32_t timeouts = 0, spurious_wakeups = 0, stale_reads = 0, weak_failures = 0, allocation_failures = 0,
                  host_memory_failures = 0, thread_failures = 0;
  };
  Budgets& left() noexcept { return left_; }
  const Limits& limits() const noexcept { return *limits_; }
  TimePoint now() const noexcept { return now_; }
  // For the code under test.
  TimePoint read_clock(Site site) {
    if (limits_->clock_is_visible) point(OperationKind::kReadClock, kNoObject, site);
    return now_;
  }
  void advance_to(TimePoint time) noexcept { now_ = now_ < time ? time : now_; }
  bool deadline_passed(const ThreadState& thread) const noexcept { return thread.deadline <= now_; }

  // --- objects ---
  Objects& objects() noexcept { return objects_; }
  const Objects& objects() const noexcept { return objects_; }
  // For an atomic; `initial`: its value before its first store.
  History& history_of(ObjectId atomic, std::uint64_t initial) {
    Object& object = objects_[atomic];
    if (object.history == 0) object.history = histories_.add(initial);
    return histories_[object.history];
  }
  LockOrder& lock_order() noexcept { return lock_order_; }
  // The entry of a primitive that the calling thread is about to use. Fails if it was destroyed.
  Object& use(ObjectRef& ref, ObjectType type, const char* name, Site site);
  // A primitive is being destroyed. Not a scheduling point: directly after the previous operation, it comes as early as
  // possible, and every later use is found.
  void destroy(ObjectRef& ref, Site site);

  // --- knowledge ---
  bool weak_memory() const noexcept { return weak_memory_; }
  // The object of a fence operation.
  ObjectId fenced() const noexcept { return weak_memory_ || limits_->store_buffer != 0 ? kAllObjects : kNoObject; }
  bool tracks_knowledge() const noexcept { return tracks_; }
  void acquire(const Knowledge& from) noexcept { self().knowledge.join(from, threads_count_, weak_memory_); }
  // Publishes the thread's past into `into`; its later operations are not part of it.
  void release(Knowledge& into) noexcept;
  void tick() noexcept;
  Knowledge& sequential_fences() noexcept { return sequential_fences_; }

  // --- failures, trace ---
  [[noreturn]] void fail(FailureKind kind, std::string text, Site site);
  bool recording() const noexcept { return recording_; }
  void add_row(const Operation& operation) {
    trace_.add({running_, operation, objects_.label(operation.object), {}, false});
  }
  // Adds to the printed line of the calling thread's operation. REQUIRES: recording().
  void note(std::string text);

 private:
  static void enter(void* execution, unsigned party);
  void reset(const Scenario& scenario, Strategy& strategy, bool record);
  static void destroy_locals(ThreadState& state);
  void end_thread();
  // The calling thread leaves the execution; returns the next party.
  unsigned leave_to();
  ThreadId add_thread(const std::string& name);
  void pick();
  // The next thread, after the flushes that come first.
  ThreadId decide() {
    ThreadId next = decide_once();
    while (buffers_.is_flusher(next)) [[unlikely]] {
      flush(next);
      next = decide_once();
    }
    return next;
  }
  ThreadId decide_once();
  void flush(ThreadId flusher);
  ThreadId ask(ThreadMask options);
  void pass_to(ThreadId next) {
    const ThreadId from = running_;
    running_ = next;
    carriers_.switch_to(from, next);
  }
  ThreadMask wakeable() const noexcept;
  ThreadMask at_quiescence();
  std::string who_waits() const;
  void add_to_hash(std::uint64_t what) noexcept {
    hash_ = (hash_ ^ what) * 0x9E3779B97F4A7C15u;
    hash_ ^= hash_ >> 29;
  }

  static inline constinit thread_local Execution* current_ = nullptr;

  Carriers& carriers_;
  LockOrder& lock_order_;
  const Limits* limits_ = nullptr;
  Strategy* strategy_ = nullptr;
  bool observed_ = false;
  bool weak_memory_ = false;
  bool tracks_ = false;
  bool recording_ = false;

  ThreadId running_ = 0;
  ThreadId threads_count_ = 0;
  ThreadMask enabled_ = 0;
  ThreadMask waiting_ = 0;  // on condition variables, not notified
  // The last operation that was chosen: its thread, whether it is a yield, and the threads enabled then.
  ThreadId performer_ = 0;
  bool performer_yields_ = false;
  ThreadMask enabled_before_ = 0;
  std::array<Operation, kMaxThreads> next_{};
  std::array<ThreadState, kMaxThreads> threads_{};
  Fairness fairness_;
  Budgets left_;
  TimePoint now_{};
  Objects objects_;
  Histories histories_;
  StoreBuffers buffers_;
  Knowledge sequential_fences_;

  std::uint32_t points_ = 0;
  std::uint64_t hash_ = 0;
  DecisionList decisions_;
  Failure failure_;
  Trace trace_;
};

}  // namespace heddle_check
