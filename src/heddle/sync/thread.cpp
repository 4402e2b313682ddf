#include "heddle/sync/thread.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "heddle/base/check.hpp"
#include "heddle/error.hpp"
#include "heddle/sync/lock_checks.hpp"

namespace HEDDLE_NS::sync {

namespace {

// While one lives, the calling thread and the threads it creates receive no signals.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    // Faults in a thread's own code must still reach it.
    for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

// The kernel's struct sched_attr, first version: its header conflicts with <sched.h>.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // of a turn
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

Thread::Thread(std::string name, std::function<void()> body) {
  const SignalsBlocked blocked;  // the program's handlers run on the program's threads
  try {
    native_ = std::thread([name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      body();
    });
  } catch (const std::system_error& error) {
    throw ThreadNotStarted(
        fmt::format("the thread {} could not be started: {}; allow the process more threads or memory", name,
                    error.code().message()));
  }
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
  // The kernel refuses a mask smaller than its own: with more processors than cpu_set_t holds, a larger one is needed.
  constexpr std::size_t kMostProcessors = std::size_t{1} << 16;
  for (std::size_t most = CPU_SETSIZE; most <= kMostProcessors; most *= 2) {
    cpu_set_t* const set = CPU_ALLOC(most);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(most);
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const bool larger = !known && errno == EINVAL;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return static_cast<unsigned>(count);
    if (!larger) break;
  }
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : count;
}

int current_processor() noexcept { return sched_getcpu(); }

void prefer_short_turns() noexcept {
  constexpr std::uint64_t kTurnNs = 100'000;  // the shortest turn that the kernel accepts
  SchedulingAttributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;  // other policies give runtime another meaning
  attributes.runtime_ns = kTurnNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

std::uint64_t this_thread_id() noexcept { return static_cast<std::uint64_t>(syscall(SYS_gettid)); }

bool is_main_thread() noexcept { return syscall(SYS_gettid) == getpid(); }

void yield() noexcept { sched_yield(); }

}  // namespace HEDDLE_NS::sync
