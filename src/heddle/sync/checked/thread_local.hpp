// sync/thread_local.hpp in the checked build: thread-local objects of the checker's threads. Running out of host memory
// at a first use is left to the fault points (sync/fault_point.hpp) of the callers; one follows each such use.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle_check/thread.hpp"

namespace HEDDLE_NS::sync {

template <class T, class Tag>
using ThreadLocal = heddle_check::ThreadLocal<T, Tag>;

}  // namespace HEDDLE_NS::sync
