// Events of the whole process: fork, exit, unloading of the module that contains the library.
//
// A fork copies one thread and all memory: mutexes that other threads held stay locked, and the device's threads are
// gone. If a process forks while a ForkGuarded object lives, in_forked_child() is true in the child forever: releases
// and destructors then do nothing and take no lock, and all other calls throw Forked. If the parent had nothing open,
// the child is like a new process.
//
// Thread safety: all functions, from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/clock.hpp"

namespace HEDDLE_NS::sync {

namespace detail {
// A fact about the process, not about the order of threads: no decision for the checker.
inline std::atomic<bool> forked_child{false};
}  // namespace detail

inline bool in_forked_child() noexcept { return detail::forked_child.load(std::memory_order_relaxed); }

// Throws Forked with a remedy.
[[noreturn]] void throw_forked();
inline void require_not_forked() {
  if (in_forked_child()) [[unlikely]]
    throw_forked();
}

// For a thread of the library that returns from a user's callable. In a forked child, this thread is the only one and
// has nothing left to do, so the process ends as a return from main would (code 0). Otherwise does nothing.
void end_forked_child();

// As a member: a child that is forked while one lives is marked.
class ForkGuarded {
 public:
  ForkGuarded();
  ~ForkGuarded();
  ForkGuarded(const ForkGuarded&) = delete;
  ForkGuarded& operator=(const ForkGuarded&) = delete;
};

// Deleter for owners of threads and devices: does nothing in a forked child, where those do not exist.
struct ForkSafeDelete {
  template <class T>
  void operator()(T* object) const noexcept {
    if (!in_forked_child()) delete object;
  }
};

// The number of forks between the process with the first ForkGuarded and this one. An object with a lower count belongs
// to a parent: its threads do not exist here.
std::uint64_t forks() noexcept;

// Runs `hook` when the process exits by return from main, exit or quick_exit (not by _exit or abort). Hooks and
// destructors of static objects run in the reverse order of their registration. A hook that is set twice runs twice,
// and each registration keeps some memory forever. Throws std::bad_alloc.
void at_process_exit(void (*hook)());

// True while exit() or quick_exit() runs. Detected on the calling thread, however exit was called and whatever it
// destroys first. Detected on any thread once one call has detected it, or a hook has called note_process_exit(). Walks
// the thread's stack; neither allocates nor throws.
bool process_is_exiting() noexcept;
void note_process_exit() noexcept;
// When the exit was first detected; now, if it was not yet.
TimePoint process_exit_began() noexcept;

// Keeps the shared library that contains heddle loaded until the process ends: dlclose does not unmap it, because its
// threads still run in it. Does nothing in a program that contains heddle itself.
void pin_module() noexcept;

}  // namespace HEDDLE_NS::sync
