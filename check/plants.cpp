#include "check/plants.hpp"

namespace heddle::check {

const std::vector<Plant>& all_plants() {
  static const std::vector<Plant> plants{
      {"owner_gate_without_fence", "R02", "pool", "a claimer looks whether the owner is inside without the heavy fence",
       "owner_gate"},
      {"pool_gives_without_notify", "C22", "pool",
       "a stream is handed to a waiter that is not woken; its recheck hides it", "lane_pool"},
      {"parking_wakes_without_mutex", "R11", "ticket",
       "a wake-up that does not take the mutex falls between look and wait", "ticket_wait"},
      {"line_without_watch", "C27", "handlers",
       "the first handler of a line does not ask the device to announce progress", "completion_line"},
      {"budget_reserves_by_store", "R09", "memory",
       "a reservation is stored, not exchanged, so that two may become one", "budget"},
      {"inbox_takes_in_two_steps", "C53", "memory",
       "what is posted between looking at an inbox and emptying it is lost", "inbox"},
      {"outbox_flushes_without_looking", "C13", "memory", "a claimer posts chains while their owner links a block",
       "claim"},
      {"depot_gathers_in_two_steps", "C10", "memory",
       "spans that are taken between copying a shard and emptying it are twice", "depot"},
      {"pool_hands_over_after_close", "R12", "shutdown",
       "a waiter keeps the stream it was given although the pool has closed since", "pool_close"},
      {"pool_releases_without_commit", "C31", "shutdown", "a lease that ends leaves what was recorded uncommitted",
       "pool_close"},
      {"pool_closes_without_waking", "C43", "shutdown", "a close tells no waiter; their recheck hides it",
       "pool_close"},
      {"pool_closes_over_owner", "C50", "shutdown", "a close takes the stream of a thread that is inside an operation",
       "pool_close"},
      {"lease_ends_over_owner", "C46", "pool", "a lease ends while its thread is inside an operation",
       "lease_from_outside"},
      {"pool_visits_busy_lanes", "C13", "memory", "what belongs to a holder is touched while it works", "visit_idle"},
      {"parking_without_watch", "C43", "ticket", "a thread parks, and the device was not asked to announce progress",
       "ticket_wait"},
      {"parking_keeps_watching", "C30", "ticket", "a wait that ended leaves its queue watched", "ticket_wait"},
      {"line_keeps_watching", "R21", "handlers", "a line that became empty leaves its queue watched for ever",
       "completion_line"},
      {"line_takes_when_closed", "R12", "handlers", "a line takes a handler that nobody will run any more",
       "handler_at_stop"},
      {"handlers_scheduled_without_notify", "C22", "handlers",
       "a ripe line is queued, and the handler thread is not woken", "handler_thread"},
      {"handler_failure_untold", "C30", "handlers", "what a handler throws is swallowed", "handler_thread"},
      {"outbox_flushes_despite_claim", "C02", "memory", "the owner posts its chains although a claim is under way",
       "claim"},
      {"depot_takes_of_any_stream", "C07", "memory", "a stream gets a span that another stream still uses",
       "depot_in_use"},
      {"depot_settles_unfinished", "C06", "memory", "a span counts as free before the device is done with it",
       "depot_in_use"},
      {"inbox_takes_relaxed", "C08", "memory", "who takes blocks does not see what was done to them", "inbox"},
      {"device_drops_inherited_errors", "C59", "device", "a list runs although the list that it waits for failed",
       "device_agent"},
      {"canary", "", "canary", "the checker's own: an update is a load and a store; heddle has no such code", "canary"},
  };
  return plants;
}

}  // namespace heddle::check
