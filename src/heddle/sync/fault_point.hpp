// Places where the checker may inject a rare failure.
//
// In the shipped build, the constant false. In the checked build, a choice that fails at most as often per execution as
// the scenario allows (heddle_check::Limits). Thread safety: from any thread; no waiting, and locks may be held.
#pragma once

#include <new>

#include "heddle/detail/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/fault_point.hpp"
#else

namespace HEDDLE_NS::sync {

// True if the device memory that is about to be allocated must be refused.
constexpr bool allocation_fails() noexcept { return false; }
// True if the next step must run out of host memory.
constexpr bool host_memory_fails() noexcept { return false; }

}  // namespace HEDDLE_NS::sync

#endif

namespace HEDDLE_NS::sync {

// Goes before code that allocates: throws as operator new would, if the checker chose that host memory runs out.
inline void require_host_memory() {
  if (host_memory_fails()) throw std::bad_alloc();
}

}  // namespace HEDDLE_NS::sync
