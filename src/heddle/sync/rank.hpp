// The lock order, as code. docs/change/lock-order.md is generated from this file.
//
// A thread may lock a mutex only if its rank is above the ranks of all mutexes that the thread holds; equal ranks never
// nest. Checked at every lock if HEDDLE_DEBUG_CHECKS is 1. The comment after a rank says what the mutex guards.
#pragma once

#include <cstdint>

namespace heddle {

enum class Rank : std::uint8_t {
  kRuntimeRegistry = 10,  // the table of open runtimes of the process
  kReaper = 15,           // objects handed over to be ended, and the threads that end them
  kRuntime = 20,          // a runtime's state: open, draining, closed
  kReclaim = 25,          // which of the threads that ran out of memory reclaims for all of them
  kLanePool = 30,         // the lanes, their holders, and the threads that wait for one
  kHandlers = 38,         // which streams have handlers to run, and the threads that run them
  kHandlerQueue = 39,     // handlers of one stream that wait for their tickets
  kAllocator = 40,        // one shard of the depot: free spans that no stream owns
  kOutboxes = 45,         // which threads have outboxes of one memory; held while another thread's is emptied
  kPageSource = 50,       // segments obtained from the device
  kDevice = 55,           // which queues a device has
  kDeviceScheduler = 60,  // a backend's ready queues and idle workers
  kDeviceQueue = 70,      // the lists of one device queue that wait to run, and its dependants
  kFailureLog = 80,       // failed ticket ranges of one queue
  kPoller = 85,           // queues whose tickets the poller watches
  kTicketParking = 90,    // threads parked until a ticket passes
  kPrimitiveCache = 100,  // objects that a kernel library has prepared for a shape
  kLeaf = 200,            // small tables that call nothing while locked
};

}  // namespace heddle
