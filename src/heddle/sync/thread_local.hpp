// Thread-local objects. The only place that may write thread_local.
//
// One object per thread, type and tag: `struct MyTag; ThreadLocal<State, MyTag>::get()`. T is default-constructed at
// the first use in a thread; its destructor runs at thread exit. With a constexpr constructor and no destructor the
// access is one load.
#pragma once

#include "heddle/base/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/thread_local.hpp"
#else

namespace HEDDLE_NS::sync {

template <class T, class Tag>
class ThreadLocal {
 public:
  static T& get() noexcept {
    static thread_local T value{};
    return value;
  }
};

}  // namespace HEDDLE_NS::sync

#endif
