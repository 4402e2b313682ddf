#include "heddle/stream/ticket_parking.hpp"

namespace HEDDLE_NS {

void TicketParking::park(Queue& queue, Ticket ticket, sync::Deadline deadline) {
  queue.watch();
  {
    sync::MutexLock lock(mutex_);
    const std::uint64_t seen = generation_;
    while (queue.completed_after_watch() < ticket && generation_ == seen) {
      if (!moved_.wait_until(mutex_, deadline)) break;
    }
  }
  queue.unwatch();
}

void TicketParking::wake() noexcept {
  {
    sync::MutexLock lock(mutex_);
    ++generation_;
  }
  moved_.notify_all();
}

}  // namespace HEDDLE_NS
