#include "check/plants.hpp"

namespace heddle::check {

const std::vector<Plant>& all_plants() {
  static const std::vector<Plant> plants{
      {"owner_gate_without_fence", "pool", "a claimer looks whether the owner is inside without the heavy fence",
       "owner_gate"},
      {"pool_gives_without_notify", "pool", "a stream is handed to a waiter that is not woken; its recheck hides it",
       "lane_pool"},
      {"parking_wakes_without_mutex", "ticket", "a wake-up that does not take the mutex falls between look and wait",
       "ticket_wait"},
      {"line_without_watch", "handlers", "the first handler of a line does not ask the device to announce progress",
       "completion_line"},
      {"budget_reserves_by_store", "memory", "a reservation is stored, not exchanged, so that two may become one",
       "budget"},
      {"inbox_takes_in_two_steps", "memory", "what is posted between looking at an inbox and emptying it is lost",
       "inbox"},
      {"outbox_flushes_without_looking", "memory", "a claimer posts chains while their owner links a block", "claim"},
      {"depot_gathers_in_two_steps", "memory", "spans that are taken between copying a shard and emptying it are twice",
       "depot"},
      {"canary", "canary", "the checker's own: an update is a load and a store; heddle has no such code", "canary"},
  };
  return plants;
}

}  // namespace heddle::check
