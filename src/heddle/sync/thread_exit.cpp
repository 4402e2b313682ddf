#include "heddle/sync/thread_exit.hpp"

#include <pthread.h>

#include <new>

namespace HEDDLE_NS::sync {
namespace {

pthread_key_t key_of_exits() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    if (pthread_key_create(&made, run_thread_exits) != 0) throw std::bad_alloc();  // the next call tries again
    return made;
  }();
  return key;
}

}  // namespace

void at_thread_exit(ThreadExit& exit) {
  const pthread_key_t key = key_of_exits();
  ThreadExit* const before = static_cast<ThreadExit*>(pthread_getspecific(key));
  exit.older_ = before;
  if (pthread_setspecific(key, &exit) != 0) throw std::bad_alloc();
}

// Registrations made meanwhile form a new list, which the system passes in its next round.
void run_thread_exits(void* newest) noexcept {
  for (auto* exit = static_cast<ThreadExit*>(newest); exit != nullptr;) {
    ThreadExit* const older = exit->older_;
    exit->run_(*exit);
    exit = older;
  }
}

}  // namespace HEDDLE_NS::sync
