#include "check/scenarios.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "heddle/sync/plant.hpp"
#include "heddle_check/canary.hpp"

namespace heddle::check {

Scenarios all_scenarios() {
  Scenarios all;
  add_owner_gate(all);
  add_lane_pool(all);
  add_ticket_wait(all);
  add_completion_line(all);
  add_runtime(all);
  add_kernels(all);
  add_budget(all);
  add_inbox(all);
  add_claim(all);
  add_depot(all);
  add_handler_thread(all);
  add_pool_close(all);
  add_device_agent(all);
  add_refused_memory(all);
  add_reclaim(all);
  add_lane_claims(all);
  add_runtime_end(all);
  add_runtime_reaper(all);
  add_events(all);
  add_reuse(all);
  add_poller(all);
  add_pool_policies(all);
  add_runtime_events(all);
  add_executor(all);
  add_committed_lists(all);
  add_free_ledger(all);
  add_heap_visits(all);
  add_external_memory(all);
  add_plain_field(all);
  all.push_back(heddle_check::canary_scenario(HEDDLE_PLANT(canary)));
  return all;
}

heddle_check::Scenario scenario_named(const std::string& name) {
  std::vector<std::string> names;
  for (heddle_check::Scenario& scenario : all_scenarios()) {
    if (scenario.name == name) return std::move(scenario);
    names.push_back(scenario.name);
  }
  throw std::invalid_argument(fmt::format("scenario '{}' is unknown; allowed: {}", name, fmt::join(names, ", ")));
}

}  // namespace heddle::check
