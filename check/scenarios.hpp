// The scenarios of heddle, by the part that they check; docs/change/checking.md explains how to write one.
#pragma once

#include <string>
#include <vector>

#include "heddle_check/scenario.hpp"

namespace heddle::check {

using Scenarios = std::vector<heddle_check::Scenario>;

void add_owner_gate(Scenarios& to);
void add_lane_pool(Scenarios& to);
void add_ticket_wait(Scenarios& to);
void add_completion_line(Scenarios& to);
void add_runtime(Scenarios& to);
void add_kernels(Scenarios& to);
void add_budget(Scenarios& to);
void add_inbox(Scenarios& to);
void add_claim(Scenarios& to);
void add_depot(Scenarios& to);
void add_handler_thread(Scenarios& to);
void add_pool_close(Scenarios& to);
void add_device_agent(Scenarios& to);
void add_refused_memory(Scenarios& to);
void add_reclaim(Scenarios& to);
void add_lane_claims(Scenarios& to);
void add_runtime_end(Scenarios& to);
void add_runtime_reaper(Scenarios& to);
void add_events(Scenarios& to);
void add_reuse(Scenarios& to);
void add_poller(Scenarios& to);
void add_pool_policies(Scenarios& to);
void add_runtime_events(Scenarios& to);
void add_executor(Scenarios& to);
void add_committed_lists(Scenarios& to);
void add_free_ledger(Scenarios& to);
void add_heap_visits(Scenarios& to);
void add_external_memory(Scenarios& to);
void add_plain_field(Scenarios& to);

// All scenarios, with unique names.
Scenarios all_scenarios();
// Throws std::invalid_argument with the known names.
heddle_check::Scenario scenario_named(const std::string& name);

}  // namespace heddle::check
