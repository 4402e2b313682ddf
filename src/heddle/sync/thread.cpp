#include "heddle/sync/thread.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "heddle/base/check.hpp"
#include "heddle/sync/lock_checks.hpp"

namespace HEDDLE_NS::sync {

Thread::Thread(std::string name, std::function<void()> body)
    : native_([name = std::move(name), body = std::move(body)] {
        pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
        body();
      }) {}

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
