// sync/lock_checks.hpp in the checked build: the checker tracks the locks of each thread and checks their ranks.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle_check/mutex.hpp"

namespace HEDDLE_NS::sync {

inline void assert_no_locks_held(const char* door, heddle_check::Site site = heddle_check::Site::current()) noexcept {
  heddle_check::require_no_locks_held(door, site);
}

}  // namespace HEDDLE_NS::sync
