#include "heddle/sync/owner_gate.hpp"

#include "check/scenarios.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// The owner and a claimer each enter when the gate admits them; their writes inside are watched.
void owner_and_claimer(int rounds) {
  sync::OwnerGate gate;
  sync::Mutex claimers(Rank::kLeaf);
  heddle_check::Cell<int> inside(0, "gated data");
  heddle_check::run_together({{"owner",
                               [&] {
                                 for (int i = 0; i < rounds; ++i) {
                                   if (!gate.try_enter()) continue;
                                   inside.change() += 1;
                                   gate.leave();
                                 }
                               }},
                              {"claimer", [&] {
                                 for (int i = 0; i < rounds; ++i) {
                                   sync::MutexLock lock(claimers);
                                   gate.announce();
                                   sync::asymmetric_fence_heavy();
                                   if (!gate.owner_inside()) inside.change() += 1;
                                   gate.withdraw();
                                 }
                               }}});
}

}  // namespace

void add_owner_gate(Scenarios& to) {
  to.push_back({.name = "owner_gate",
                .group = "pool",
                .threads = 2,
                .body = [] { owner_and_claimer(2); },
                .limits = {.stale_reads = 2, .store_buffer = 2},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 100'000}},
                .claim = "the owner and a claimer are never inside together, and see each other's earlier writes"});
}

}  // namespace heddle::check
