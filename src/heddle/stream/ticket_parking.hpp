// Threads parked until a queue's completed ticket moves.
//
// A waiter watches the queue, looks at completed() once more, and only then sleeps; the backend publishes, then looks
// for watchers (both sequentially consistent), then calls wake(), which takes the mutex. So no wake-up is lost. Thread
// safety: all members, from any thread. Locks: mutex_ (kTicketParking).
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class Poller;

class TicketParking {
 public:
  // For backends that do not announce progress; before the first park().
  void set_poller(Poller* poller) noexcept { poller_ = poller; }
  // Parks until `queue` completed `ticket`, or was announced to have moved, or the deadline passed (whichever is
  // first), or `stop` was set before a wake().
  void park(Queue& queue, Ticket ticket, sync::Deadline deadline, const sync::Atomic<bool>& stop);
  void wake() noexcept;

 private:
  Poller* poller_ = nullptr;
  sync::Atomic<std::uint32_t> parked_{0};
  sync::Mutex mutex_{Rank::kTicketParking};
  sync::ConditionVariable moved_;
  std::uint64_t generation_ HEDDLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace HEDDLE_NS
