#include "heddle/sync/process.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <cstdlib>

#include "heddle/base/error.hpp"

namespace HEDDLE_NS::sync {
namespace {

std::atomic<int> fork_guarded{0};

// Runs in the child, where only its thread exists: no lock, no allocation.
void on_fork_in_child() {
  if (fork_guarded.load(std::memory_order_relaxed) != 0) detail::forked_child.store(true, std::memory_order_relaxed);
}

}  // namespace

void throw_forked() {
  throw Forked(
      "heddle was in use in the parent when this process was forked: its threads and device are not here; open the "
      "runtime after the fork, or start the child by exec");
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

void at_process_exit(void (*hook)()) {
#if HEDDLE_CHECKED
  static_cast<void>(hook);  // the checker ends runtimes, not processes
#else
  std::atexit(hook);
  std::at_quick_exit(hook);
#endif
}

void pin_module() noexcept {
  Dl_info module{};
  static const char anchor = 0;
  if (dladdr(&anchor, &module) == 0 || module.dli_fname == nullptr) return;
  // Fails, harmlessly, for the program itself.
  static_cast<void>(dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

}  // namespace HEDDLE_NS::sync
