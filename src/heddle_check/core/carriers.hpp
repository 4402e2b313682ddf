// Carriers: the stacks or threads on which an execution's threads run, of which exactly one runs at any time.
//
// Two kinds behind one interface: fibers on the calling thread (fast), and real threads that pass the turn along (slow;
// they have real thread-local storage, so a difference between the two reveals state that leaks between fibers).
// Parties are numbered; kRoot is the caller of the first switch_to(). Thread safety: only the running party calls.
#pragma once

#include <memory>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

class Carriers {
 public:
  static constexpr unsigned kRoot = kMaxThreads;
  // Runs as `party`; calls exit_to() last and then returns immediately.
  using Entry = void (*)(void* context, unsigned party);

  Carriers() = default;
  virtual ~Carriers() = default;
  Carriers(const Carriers&) = delete;
  Carriers& operator=(const Carriers&) = delete;

  // `party` enters anew at the next switch to it. A party that had not ended is abandoned: its stack is reused (a real
  // thread is left waiting forever), and nothing on it is destroyed.
  virtual void prepare(unsigned party, Entry entry, void* context) = 0;
  // Returns when another party switches to `from`.
  virtual void switch_to(unsigned from, unsigned to) = 0;
  // `from` has ended. Others already run when this returns, if it does: the caller touches only what it owns itself.
  virtual void exit_to(unsigned from, unsigned to) = 0;
};

std::unique_ptr<Carriers> make_fibers();
std::unique_ptr<Carriers> make_real_threads();

}  // namespace heddle_check
