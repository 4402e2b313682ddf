// sync/asymmetric_fence.hpp in the checked build: the light side does nothing, so a store may stay in its buffer until
// a heavy fence drains it.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle_check/atomic.hpp"

namespace HEDDLE_NS::sync {

inline FenceMode asymmetric_fence_mode() noexcept { return FenceMode::kMembarrier; }
inline void asymmetric_fence_light() noexcept {}
inline void asymmetric_fence_heavy(heddle_check::Site site = heddle_check::Site::current()) noexcept {
  if (!HEDDLE_PLANT(owner_gate_without_fence)) heddle_check::fence_all_threads(site);
}

}  // namespace HEDDLE_NS::sync
