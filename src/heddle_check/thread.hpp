// Threads and thread-local objects under the checker.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

// A thread of the execution. When it is created, it runs up to its first visible operation; no other thread can see
// what it does until then. Must be joined. Only inside an execution.
class Thread {
 public:
  Thread() noexcept = default;
  Thread(std::string name, std::function<void()> body, Site site = Site::current());
  Thread(Thread&& other) noexcept : id_(std::exchange(other.id_, kNoThread)) {}
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  bool joinable() const noexcept { return id_ != kNoThread; }
  // Visible only if it waits. Afterwards the thread's past is part of the caller's past.
  void join(Site site = Site::current());

 private:
  ThreadId id_ = kNoThread;
};

// The calling thread's number; kNoThread outside an execution.
ThreadId this_thread() noexcept;

// Starts all bodies and waits for them.
void run_together(std::initializer_list<std::pair<const char*, std::function<void()>>> bodies,
                  Site site = Site::current());

namespace detail {
// The calling thread's object under `key`; made with `make` at the first use, destroyed with `destroy` when the thread
// ends, in reverse order, while the thread can still be switched away from; `trivial` objects after all others. Null
// outside an execution.
void* thread_local_object(const void* key, void* (*make)(), void (*destroy)(void*), bool trivial);
}  // namespace detail

template <class T, class Tag>
class ThreadLocal {
 public:
  static T& get() noexcept {
    static constexpr char key = 0;
    void* object = detail::thread_local_object(
        &key, [] { return static_cast<void*>(new T()); }, [](void* made) { delete static_cast<T*>(made); },
        std::is_trivially_destructible_v<T>);
    if (object != nullptr) return *static_cast<T*>(object);
    static thread_local T outside{};
    return outside;
  }
};

}  // namespace heddle_check
