// Carriers: what the threads of an execution run on, of which exactly one runs at any time.
//
// Two kinds behind one interface: fibres on the calling thread (fast), and real threads that hand the turn over (slow;
// they have real thread-local storage, so a difference between the two shows what leaks between fibres). Parties are
// numbered; kRoot is whoever called the first switch_to(). Thread safety: only the running party calls.
#pragma once

#include <memory>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

class Carriers {
 public:
  static constexpr unsigned kRoot = kMaxThreads;
  // Runs as `party`; calls exit_to() last and returns at once.
  using Entry = void (*)(void* context, unsigned party);

  Carriers() = default;
  virtual ~Carriers() = default;
  Carriers(const Carriers&) = delete;
  Carriers& operator=(const Carriers&) = delete;

  // `party` will enter anew at the next switch to it. One that had not ended is abandoned: its stack is used again (or,
  // on a real thread, that thread is left waiting for ever), and nothing on it is destroyed.
  virtual void prepare(unsigned party, Entry entry, void* context) = 0;
  // Returns when somebody switches to `from`.
  virtual void switch_to(unsigned from, unsigned to) = 0;
  // `from` has ended. Others run already when this returns, if it does: the caller touches nothing that is not its own.
  virtual void exit_to(unsigned from, unsigned to) = 0;
};

std::unique_ptr<Carriers> make_fibers();
std::unique_ptr<Carriers> make_real_threads();

}  // namespace heddle_check
