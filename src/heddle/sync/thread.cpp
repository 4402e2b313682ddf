#include "heddle/sync/thread.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "heddle/base/check.hpp"
#include "heddle/sync/lock_checks.hpp"

namespace HEDDLE_NS::sync {

namespace {

// While one lives, the calling thread, and threads it creates, take no signals.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    // Faults of a thread's own code must still reach it.
    for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Thread::Thread(std::string name, std::function<void()> body) {
  const SignalsBlocked blocked;  // the program's handlers run on the program's threads
  native_ = std::thread([name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    body();
  });
}

Thread& Thread::operator=(Thread&& other) noexcept {
  HEDDLE_CHECK(!native_.joinable(), "a thread was overwritten before it was joined");
  native_ = std::move(other.native_);
  return *this;
}

Thread::~Thread() { HEDDLE_CHECK(!native_.joinable(), "a thread was destroyed before it was joined"); }

void Thread::join() {
  assert_no_locks_held("joining a thread");
  native_.join();
}

unsigned available_processors() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
    return static_cast<unsigned>(CPU_COUNT(&set));
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : count;
}

std::uint64_t this_thread_id() noexcept { return static_cast<std::uint64_t>(syscall(SYS_gettid)); }

bool is_main_thread() noexcept { return syscall(SYS_gettid) == getpid(); }

void yield() noexcept { sched_yield(); }

}  // namespace HEDDLE_NS::sync
