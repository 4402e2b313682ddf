#include "heddle/sync/process.hpp"

#include <dlfcn.h>
#include <pthread.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

#include "heddle/error.hpp"

namespace HEDDLE_NS::sync {
namespace {

std::atomic<int> fork_guarded{0};
std::atomic<std::uint64_t> forked{0};

// Runs in the child, whose only thread is the one that forked: no lock, no allocation.
void on_fork_in_child() {
  forked.fetch_add(1, std::memory_order_relaxed);
  if (fork_guarded.load(std::memory_order_relaxed) != 0) detail::forked_child.store(true, std::memory_order_relaxed);
}

}  // namespace

void throw_forked() {
  throw Forked(
      "heddle was in use in the parent when this process was forked, and its threads and device do not exist here; "
      "open the runtime after the fork, or start the child by exec");
}

void end_forked_child() {
  if (in_forked_child()) std::exit(0);
}

ForkGuarded::ForkGuarded() {
  static const int registered = pthread_atfork(nullptr, nullptr, on_fork_in_child);
  static_cast<void>(registered);
  fork_guarded.fetch_add(1, std::memory_order_relaxed);
}

ForkGuarded::~ForkGuarded() { fork_guarded.fetch_sub(1, std::memory_order_relaxed); }

std::uint64_t forks() noexcept { return forked.load(std::memory_order_relaxed); }

#if HEDDLE_CHECKED

// The checker ends runtimes, not processes.
void at_process_exit(void (*)()) {}
bool process_is_exiting() noexcept { return false; }
void note_process_exit() noexcept {}
TimePoint process_exit_began() noexcept { return now(); }

#else

namespace {

// Nanoseconds on the clock; 0: not yet.
std::atomic<Clock::rep> exit_began{0};

// The addresses of the C library's exit functions as they appear on the stack, not those of this module's PLT.
const std::array<void*, 2>& exit_functions() noexcept {
  const auto find = [](const char* name, void (*otherwise)(int)) {
    void* const found = dlsym(RTLD_NEXT, name);
    return found != nullptr ? found : reinterpret_cast<void*>(otherwise);
  };
  static const std::array<void*, 2> found{find("exit", std::exit), find("quick_exit", std::quick_exit)};
  return found;
}

_Unwind_Reason_Code look_at_frame(_Unwind_Context* frame, void* found) {
  void* const function = reinterpret_cast<void*>(_Unwind_GetRegionStart(frame));
  const auto& exits = exit_functions();
  if (std::find(exits.begin(), exits.end(), function) == exits.end()) return _URC_NO_REASON;
  *static_cast<bool*>(found) = true;
  return _URC_END_OF_STACK;
}

}  // namespace

void at_process_exit(void (*hook)()) {
  exit_functions();  // resolved now, because process exit is too late for a lookup
  if (std::atexit(hook) != 0 || std::at_quick_exit(hook) != 0) throw std::bad_alloc();
}

bool process_is_exiting() noexcept {
  if (exit_began.load(std::memory_order_relaxed) != 0) return true;
  bool found = false;
  _Unwind_Backtrace(look_at_frame, &found);
  if (found) note_process_exit();
  return found;
}

void note_process_exit() noexcept {
  Clock::rep none = 0;
  exit_began.compare_exchange_strong(none, Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

TimePoint process_exit_began() noexcept {
  const Clock::rep began = exit_began.load(std::memory_order_relaxed);
  return began == 0 ? Clock::now() : TimePoint(Duration(began));
}

#endif

void pin_module() noexcept {
  Dl_info module{};
  static const char anchor = 0;
  if (dladdr(&anchor, &module) == 0 || module.dli_fname == nullptr) return;
  // Fails, harmlessly, for the program itself.
  static_cast<void>(dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

}  // namespace HEDDLE_NS::sync
