#include "heddle_check/condition_variable.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <utility>

#include "heddle_check/core/entered.hpp"
#include "heddle_check/core/locks.hpp"

namespace heddle_check {
namespace {

void notify(Execution& execution, ObjectId condition, ThreadId thread) {
  ThreadState& state = execution.thread(thread);
  execution.objects()[condition].waiting &= ~bit(thread);
  execution.end_wait(thread);
  state.notified = true;
  state.probed = false;
  Object& mutex = execution.objects()[state.mutex];
  mutex.wanted |= bit(thread);
  execution.set_next(thread, {OperationKind::kLock, state.mutex, execution.next(thread).site});
  if (mutex.owner == kNoThread) execution.enable(bit(thread));
}

// The calling thread's wait ends without a notification. True: by its deadline.
bool ends_by_deadline(Execution& execution) {
  ThreadState& self = execution.self();
  const ForcedWake forced = std::exchange(self.forced, ForcedWake::kNo);
  if (forced == ForcedWake::kProbe) {
    self.probing = self.condition;
    if (execution.recording()) execution.note("probed: no other thread can run");
    return false;
  }
  const bool passed = forced == ForcedWake::kTimeout || execution.deadline_passed(self);
  Execution::Budgets& left = execution.left();
  const bool by_choice =
      execution.limits().timeout_mode == Timeouts::kChoice && left.timeouts != 0 && self.deadline != TimePoint::max();
  const bool may_be_spurious = !passed && left.spurious_wakeups != 0;
  bool timeout = passed || by_choice;
  if (timeout && may_be_spurious) timeout = execution.choose(ChoiceKind::kWake, 2) == 0;
  if (!timeout) {
    --left.spurious_wakeups;
    if (execution.recording()) execution.note("spurious");
    return false;
  }
  if (!passed) --left.timeouts;
  execution.advance_to(self.deadline);
  if (execution.recording()) execution.note("timeout");
  return true;
}

}  // namespace

ConditionVariable::~ConditionVariable() {
  if (ref_.epoch == 0) return;
  if (const Entered execution; execution) execution->destroy(ref_, Site::current());
}

void ConditionVariable::wait(Mutex& mutex, Site site) { wait_until(mutex, TimePoint::max(), site); }

bool ConditionVariable::wait_until(Mutex& mutex, TimePoint deadline, Site site) {
  const Entered execution;
  if (execution == nullptr) fail(FailureKind::kMisuse, "a wait outside an execution would never end", site);
  execution->use(ref_, ObjectType::kCondition, name_, site);
  ThreadState& self = execution->self();
  const ObjectId lock = mutex.ref_.id;
  if (self.held.size() != 1 || self.held[0].object != lock) {
    execution->fail(FailureKind::kLockHeld, "a wait needs its mutex held, and no other lock", site);
  }
  execution->drained_point(OperationKind::kWait, ref_.id, site);
  if (self.probing != kNoObject) self.probed = self.probing == ref_.id;
  self.probing = kNoObject;
  self.condition = ref_.id;
  self.mutex = lock;
  self.deadline = deadline;
  self.notified = false;
  give_lock_back(*execution, lock);

  const bool at_once = execution->limits().timeout_mode == Timeouts::kFirst && deadline != TimePoint::max();
  if (at_once) {
    execution->yield_point(OperationKind::kWake, site);
    execution->advance_to(deadline);
  } else {
    execution->objects()[ref_.id].waiting |= bit(execution->running());
    execution->wait_point(ref_.id, site);
    if (self.notified) {
      take_lock(*execution, lock, site);
      return true;
    }
  }
  const bool timed_out = at_once || ends_by_deadline(*execution);
  execution->objects()[ref_.id].waiting &= ~bit(execution->running());
  execution->end_wait(execution->running());
  lock_exclusive(*execution, lock, site);
  return !timed_out;
}

void ConditionVariable::notify_one(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  execution->use(ref_, ObjectType::kCondition, name_, site);
  execution->point(OperationKind::kNotify, ref_.id, site);
  const ThreadMask waiting = execution->objects()[ref_.id].waiting;
  if (waiting == 0) return;
  std::array<ThreadId, kMaxThreads> threads{};
  std::uint32_t count = 0;
  for (ThreadMask rest = waiting; rest != 0; rest &= rest - 1) {
    threads[count++] = static_cast<ThreadId>(std::countr_zero(rest));
  }
  notify(*execution, ref_.id, threads[execution->choose(ChoiceKind::kWaiter, count)]);
}

void ConditionVariable::notify_all(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  execution->use(ref_, ObjectType::kCondition, name_, site);
  execution->point(OperationKind::kNotify, ref_.id, site);
  for (ThreadMask rest = execution->objects()[ref_.id].waiting; rest != 0; rest &= rest - 1) {
    notify(*execution, ref_.id, static_cast<ThreadId>(std::countr_zero(rest)));
  }
}

}  // namespace heddle_check
