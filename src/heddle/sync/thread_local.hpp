// Thread-local objects. No other file may write thread_local.
//
// One object per thread, type and tag: `struct MyTag; ThreadLocal<State, MyTag>::get()`. T is default-constructed at
// the first use in a thread. With a constexpr constructor and no destructor, an access is one load.
//
// If T has a destructor, get() throws std::bad_alloc if the host has no memory to register it; a later get() tries
// again. (The compiler's own registration would end the process.) The destructor runs at thread exit, after those of
// the program's thread_local objects; objects of the library are destroyed in reverse order of construction. An object
// that is used again after its destruction is constructed again, and destroyed in the next round of the system's
// destructors (PTHREAD_DESTRUCTOR_ITERATIONS). The destructor does not run for the thread that calls exit(), nor for
// other threads alive at that time: work due at process exit belongs in a hook (sync/process.hpp).
#pragma once

#include "heddle/detail/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/thread_local.hpp"
#else

#include <new>
#include <type_traits>

#include "heddle/sync/thread_exit.hpp"

namespace HEDDLE_NS::sync {

namespace detail {

// In the thread's static storage, so that it needs no memory. Trivially destructible and constant-initialized, so that
// an access needs no guard.
template <class T>
class ThreadObject final : public ThreadExit {
 public:
  static_assert(std::is_nothrow_default_constructible_v<T>);

  constexpr ThreadObject() noexcept : ThreadExit(&destroy) {}
  T& get() {
    if (object_ == nullptr) [[unlikely]]
      make();
    return *object_;
  }

 private:
  void make() {
    at_thread_exit(*this);
    object_ = new (storage_) T();
  }
  static void destroy(ThreadExit& exit) noexcept {
    auto& self = static_cast<ThreadObject&>(exit);
    self.object_->~T();  // object_ is still set, because code that the destructor calls may use it
    self.object_ = nullptr;
  }

  alignas(T) unsigned char storage_[sizeof(T)] = {};
  T* object_ = nullptr;
};

}  // namespace detail

template <class T, class Tag>
class ThreadLocal {
 public:
  static T& get() noexcept
    requires std::is_trivially_destructible_v<T>
  {
    static thread_local T value{};
    return value;
  }
  static T& get() {
    static constinit thread_local detail::ThreadObject<T> value;
    return value.get();
  }
};

}  // namespace HEDDLE_NS::sync

#endif
