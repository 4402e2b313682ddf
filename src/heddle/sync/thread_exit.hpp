// What a thread does when it exits, registered without the compiler's thread_local destructors: glibc ends the process
// where the first of those finds no memory.
//
// One key of the system serves all threads, and a list in each of them; the first 32 keys of a process need no memory.
// Thread safety: all functions; a ThreadExit belongs to the thread that registered it.
#pragma once

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::sync {

// Trivially destructible, so that it can be a thread_local object itself.
class ThreadExit {
 public:
  constexpr explicit ThreadExit(void (*run)(ThreadExit&) noexcept) noexcept : run_(run) {}
  ThreadExit(const ThreadExit&) = delete;
  ThreadExit& operator=(const ThreadExit&) = delete;

 private:
  friend void at_thread_exit(ThreadExit& exit);
  friend void run_thread_exits(void* newest) noexcept;

  void (*const run_)(ThreadExit&) noexcept;
  ThreadExit* older_ = nullptr;
};

// Runs `exit` when the calling thread exits, the newest first; again only if it is registered again. It must be there
// then. Throws std::bad_alloc, and has registered nothing.
void at_thread_exit(ThreadExit& exit);

// Of the system's key: for the calling thread.
void run_thread_exits(void* newest) noexcept;

}  // namespace HEDDLE_NS::sync
