// What scenarios of a whole runtime share.
#pragma once

#include "check/scenarios/support.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"

namespace heddle::check {

// Other streams are served from this, and so need not grow: a heap that does reads each count of each heap, which would
// be most of what there is to explore.
inline void leave_memory_in_depot(Runtime& runtime) {
  with_memory([&] {
    const Tensor kept = full(runtime, {1}, 1.0f);
    runtime.synchronize();
    runtime.release_cached();
  });
}

}  // namespace heddle::check
