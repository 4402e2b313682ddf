#include "heddle_check/thread.hpp"

#include <vector>

#include "heddle_check/core/entered.hpp"

namespace heddle_check {

Thread::Thread(std::string name, std::function<void()> body, Site site) {
  const Entered execution;
  if (execution == nullptr) fail(FailureKind::kMisuse, "a thread is started outside an execution", site);
  id_ = execution->spawn(std::move(name), std::move(body), site);
}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (joinable()) fail(FailureKind::kLeakedThread, "a thread was overwritten before it was joined");
  id_ = std::exchange(other.id_, kNoThread);
  return *this;
}

Thread::~Thread() {
  // Outside an execution: a failed execution was abandoned, and objects not on its stacks are destroyed after it.
  if (joinable() && Execution::current() != nullptr) {
    fail(FailureKind::kLeakedThread, "a thread was destroyed before it was joined");
  }
}

void Thread::join(Site site) {
  const Entered execution;
  if (execution == nullptr || !joinable()) fail(FailureKind::kMisuse, "joined a thread that is not running", site);
  execution->join(std::exchange(id_, kNoThread), site);
}

ThreadId this_thread() noexcept {
  const Entered execution;
  return execution == nullptr ? kNoThread : execution->running();
}

void run_together(std::initializer_list<std::pair<const char*, std::function<void()>>> bodies, Site site) {
  std::vector<Thread> threads;
  threads.reserve(bodies.size());
  for (const auto& [name, body] : bodies) threads.emplace_back(name, body, site);
  for (Thread& thread : threads) thread.join(site);
}

void* detail::thread_local_object(const void* key, void* (*make)(), void (*destroy)(void*), bool trivial) {
  {
    const Entered execution;
    if (execution == nullptr) return nullptr;
    for (const LocalObject& local : execution->self().locals) {
      if (local.key == key) return local.object;
    }
  }
  void* object = make();  // may use other thread-local objects, which are then destroyed later
  const Entered execution;
  execution->self().locals.push_back({key, object, destroy, trivial});
  return object;
}

}  // namespace heddle_check
