// Shared by the scenarios of a whole runtime.
#pragma once

#include "check/scenarios/support.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"

namespace heddle::check {

// Other streams are served from this memory and need not grow: a growing heap reads every count of every heap, which
// would dominate the exploration.
inline void leave_memory_in_depot(Runtime& runtime) {
  with_memory([&] {
    const Tensor kept = full(runtime, {1}, 1.0f);
    runtime.synchronize();
    runtime.release_cached();
  });
}

}  // namespace heddle::check
