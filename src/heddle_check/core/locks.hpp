// What mutexes and condition variables share: announcing, taking and giving back a lock.
#pragma once

#include "heddle_check/core/execution.hpp"

namespace heddle_check {

// Fails when `id`, locked now, would be against a rank or would close a cycle of lock orders.
void check_lock_order(Execution& execution, ObjectId id, Site site);
// The calling thread, chosen to do so, takes a free mutex.
void take_lock(Execution& execution, ObjectId id, Site site);
// Visible: locks.
void lock_exclusive(Execution& execution, ObjectId id, Site site);
// Not visible. The caller owns it.
void give_lock_back(Execution& execution, ObjectId id);

}  // namespace heddle_check
