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
  };
  return plants;
}

}  // namespace heddle::check
