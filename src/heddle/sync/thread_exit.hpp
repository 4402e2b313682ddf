// Actions at thread exit, registered without the compiler's thread_local destructors: glibc ends the process if the
// first of those finds no memory.
//
// One pthread key serves all threads, with one list per thread; the first 32 keys of a process need no memory.
// Thread safety: all functions; a ThreadExit belongs to the thread that registered it.
#pragma once

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::sync {

// Trivially destructible, so that it can itself be a thread_local object.
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

// Runs `exit` when the calling thread exits, newest first; it runs again only if it is registered again. `exit` must
// live until then. Throws std::bad_alloc, having registered nothing.
void at_thread_exit(ThreadExit& exit);

// Destructor of the pthread key, for the calling thread.
void run_thread_exits(void* newest) noexcept;

}  // namespace HEDDLE_NS::sync
