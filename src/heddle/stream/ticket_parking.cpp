#include "heddle/stream/ticket_parking.hpp"

#include "heddle/stream/poller.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

void TicketParking::park(Queue& queue, Ticket ticket, sync::Deadline deadline, const sync::Atomic<bool>& stop) {
  parked_.fetch_add(1, sync::seq_cst);
  if (!HEDDLE_PLANT(parking_without_watch)) queue.watch();
  if (poller_ != nullptr) poller_->wake();
  {
    sync::MutexLock lock(mutex_);
    const std::uint64_t seen = generation_;
    while (queue.completed_after_watch() < ticket && generation_ == seen && !stop.load(sync::seq_cst)) {
      if (!moved_.wait_until(mutex_, deadline)) break;
    }
  }
  if (!HEDDLE_PLANT(parking_keeps_watching)) queue.unwatch();
  parked_.fetch_sub(1, sync::relaxed);
}

void TicketParking::wake() noexcept {
  // A thread that parks counts itself before it looks at completed(), whose new value was published before this load.
  if (parked_.load(sync::seq_cst) == 0) return;
  if (!HEDDLE_PLANT(parking_wakes_without_mutex)) {
    sync::MutexLock lock(mutex_);
    ++generation_;
  }
  moved_.notify_all();
}

}  // namespace HEDDLE_NS
