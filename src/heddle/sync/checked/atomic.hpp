// sync/atomic.hpp in the checked build: every access is a decision of the checker.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle_check/atomic.hpp"

namespace HEDDLE_NS::sync {

template <class T>
using Atomic = heddle_check::Atomic<T>;

}  // namespace HEDDLE_NS::sync
