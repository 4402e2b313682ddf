// Threads. Joined by their owner, always: there is no detach.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::sync {

// The system starts no more threads now: the machine's state, which may pass, and not what was asked for.
class ThreadNotStarted : public Unsupported {
 public:
  using Unsupported::Unsupported;
};

}  // namespace HEDDLE_NS::sync

#if HEDDLE_CHECKED
#include "heddle/sync/checked/thread.hpp"
#else

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace HEDDLE_NS::sync {

// A named thread that takes no signals. Destroying one that was not joined aborts.
class Thread {
 public:
  Thread() = default;
  // `name` is shown by debuggers (the first 15 characters). Throws ThreadNotStarted where the system starts no more.
  Thread(std::string name, std::function<void()> body);
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  bool joinable() const noexcept { return native_.joinable(); }
  void join();

 private:
  std::thread native_;
};

// Processors that this process may run on (at least 1).
unsigned available_processors() noexcept;

// The processor that runs the calling thread, a hint: it may be another one by the time this returns. No system call.
int current_processor() noexcept;

// Asks the kernel to give the calling thread short turns, and so to let it run soon after it is woken although others
// are running. Where the kernel cannot (Linux before 6.12), or does not let it, nothing changes.
void prefer_short_turns() noexcept;

// The kernel's id of the calling thread; for messages.
std::uint64_t this_thread_id() noexcept;

// True on the thread that entered main(), whoever calls first.
bool is_main_thread() noexcept;

// Gives the processor to another thread.
void yield() noexcept;

// One turn of a spin loop: tells the processor (and the checker) that this thread waits for another.
inline void spin_wait() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace HEDDLE_NS::sync

#endif
