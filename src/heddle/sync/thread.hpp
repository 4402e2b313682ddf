// Threads. Always joined by their owner: there is no detach.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::sync {

// The system starts no more threads now: a state of the machine, which may pass, not a fault of the request.
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

// A named thread that receives no signals. Destroying one that was not joined aborts.
class Thread {
 public:
  Thread() = default;
  // Debuggers show `name` (the first 15 characters). Throws ThreadNotStarted if the system starts no more threads.
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

// The processor that runs the calling thread. A hint: the thread may have moved by the time this returns. No system
// call.
int current_processor() noexcept;

// Asks the kernel for short turns for the calling thread, so that it runs soon after a wake-up even if other threads
// are running. No effect if the kernel lacks this (Linux before 6.12) or refuses it.
void prefer_short_turns() noexcept;

// The kernel's id of the calling thread; for messages.
std::uint64_t this_thread_id() noexcept;

// True on the thread that entered main(), whichever thread calls first.
bool is_main_thread() noexcept;

// Gives the processor to another thread.
void yield() noexcept;

// One turn of a spin loop: a hint to the processor (and the checker) that this thread waits for another.
inline void spin_wait() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace HEDDLE_NS::sync

#endif
