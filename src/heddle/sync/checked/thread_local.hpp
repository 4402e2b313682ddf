// sync/thread_local.hpp in the checked build: objects of the checker's threads. A first use that finds no host memory
// is left to the fault points (sync/fault_point.hpp) of its callers, each of which follows such a use.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle_check/thread.hpp"

namespace HEDDLE_NS::sync {

template <class T, class Tag>
using ThreadLocal = heddle_check::ThreadLocal<T, Tag>;

}  // namespace HEDDLE_NS::sync
