// What happens to the whole process: fork, exit, unloading of the module that holds the library.
//
// A fork copies one thread and all memory: mutexes that other threads held stay locked, and the device's threads are
// gone. So once a fork happened while a ForkGuarded object lived, in_forked_child() is true in the child for ever:
// releases and destructors then do nothing and take no lock, everything else throws Forked. A child whose parent had
// nothing open is like a new process.
//
// Thread safety: all functions, from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/clock.hpp"

namespace HEDDLE_NS::sync {

namespace detail {
// A fact of the process, not a matter of order between threads: no decision for the checker.
inline std::atomic<bool> forked_child{false};
}  // namespace detail

inline bool in_forked_child() noexcept { return detail::forked_child.load(std::memory_order_relaxed); }

// Throws Forked, naming what was asked for.
[[noreturn]] void throw_forked();
inline void require_not_forked() {
  if (in_forked_child()) [[unlikely]]
    throw_forked();
}

// On a thread of the library that came back from a user's callable: in a forked child, where it is the only thread and
// has nothing to do, ends the process as a return from main would (code 0). Else does nothing.
void end_forked_child();

// As a member: while one lives, a child that is forked off is marked.
class ForkGuarded {
 public:
  ForkGuarded();
  ~ForkGuarded();
  ForkGuarded(const ForkGuarded&) = delete;
  ForkGuarded& operator=(const ForkGuarded&) = delete;
};

// Deleter of what threads and devices hang on: does nothing in a forked child, where they are gone.
struct ForkSafeDelete {
  template <class T>
  void operator()(T* object) const noexcept {
    if (!in_forked_child()) delete object;
  }
};

// How often this process and those that it was forked from were forked, in the child, since the first ForkGuarded. What
// counted less belongs to a parent: its threads are not here.
std::uint64_t forks() noexcept;

// Runs `hook` when the process exits by return from main, exit or quick_exit (not by _exit or abort). Hooks and
// destructors of static objects run in the reverse order of their registration; a hook set twice runs twice, and each
// takes some memory for ever. Throws std::bad_alloc.
void at_process_exit(void (*hook)());

// Whether exit() or quick_exit() runs: on the calling thread, however it was called and whatever else it destroys
// first, or on any thread once this was asked there or a hook has called note_process_exit(). Walks the thread's stack;
// neither allocates nor throws.
bool process_is_exiting() noexcept;
void note_process_exit() noexcept;
// When that was first known; now, if it is not yet.
TimePoint process_exit_began() noexcept;

// Keeps the shared library that contains heddle loaded until the process ends: dlclose then leaves it, because its
// threads still run in it. Does nothing in a program that contains heddle itself.
void pin_module() noexcept;

}  // namespace HEDDLE_NS::sync
