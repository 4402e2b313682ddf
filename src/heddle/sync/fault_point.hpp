// Places where the checker may let something fail that seldom does.
//
// The constant false in the shipped build. In the checked build a choice, so many times an execution as the scenario
// allows (heddle_check::Limits). Thread safety: from any thread; no waiting, and locks may be held.
#pragma once

#include <new>

#include "heddle/detail/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/fault_point.hpp"
#else

namespace HEDDLE_NS::sync {

// Whether the device memory that is about to be allocated shall be refused.
constexpr bool allocation_fails() noexcept { return false; }
// Whether the host shall have no memory for what comes next.
constexpr bool host_memory_fails() noexcept { return false; }

}  // namespace HEDDLE_NS::sync

#endif

namespace HEDDLE_NS::sync {

// Stands before what allocates: throws where the host shall have no memory for that, as operator new would.
inline void require_host_memory() {
  if (host_memory_fails()) throw std::bad_alloc();
}

}  // namespace HEDDLE_NS::sync
