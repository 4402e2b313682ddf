// ConditionVariable under the checker: a notification may wake any waiter, a wait may end without one (budgets in
// Limits), and a notified thread competes for the mutex like any other.
#pragma once

#include "heddle_check/clock.hpp"
#include "heddle_check/mutex.hpp"

namespace heddle_check {

class ConditionVariable {
 public:
  explicit constexpr ConditionVariable(const char* name = nullptr) noexcept : name_(name) {}
  ~ConditionVariable();
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;

  // REQUIRES: the calling thread holds `mutex`, and no other lock.
  void wait(Mutex& mutex, Site site = Site::current());
  // False if the wait ended by its deadline.
  bool wait_until(Mutex& mutex, TimePoint deadline, Site site = Site::current());
  void notify_one(Site site = Site::current());
  void notify_all(Site site = Site::current());

 private:
  const char* name_;
  ObjectRef ref_;
};

}  // namespace heddle_check
