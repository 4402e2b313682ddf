// sync/fault_point.hpp in the checked build: choices of the checker.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle_check/choices.hpp"

namespace HEDDLE_NS::sync {

inline bool allocation_fails() { return heddle_check::allocation_fails(); }
inline bool host_memory_fails() { return heddle_check::host_memory_fails(); }

}  // namespace HEDDLE_NS::sync
