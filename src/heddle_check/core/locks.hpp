// Shared by mutexes and condition variables: announcing, taking and releasing a lock.
#pragma once

#include "heddle_check/core/execution.hpp"

namespace heddle_check {

// Fails if locking `id` now would violate a rank or close a cycle of lock orders.
void check_lock_order(Execution& execution, ObjectId id, Site site);
// Takes a free mutex for the calling thread, which was chosen to do so.
void take_lock(Execution& execution, ObjectId id, Site site);
// Visible: locks.
void lock_exclusive(Execution& execution, ObjectId id, Site site);
// Not visible. The caller owns the lock.
void give_lock_back(Execution& execution, ObjectId id);

}  // namespace heddle_check
