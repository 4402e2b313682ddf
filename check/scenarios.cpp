#include "check/scenarios.hpp"

namespace heddle::check {

Scenarios all_scenarios() {
  Scenarios all;
  add_owner_gate(all);
  add_lane_pool(all);
  add_ticket_wait(all);
  add_completion_line(all);
  add_runtime(all);
  add_kernels(all);
  return all;
}

}  // namespace heddle::check
