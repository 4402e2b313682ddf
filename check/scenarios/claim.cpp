#include <array>

#include "check/scenarios.hpp"
#include "heddle/memory/outbox.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kMost = 3;

// A thread collects blocks in its outbox while somebody who ran out of memory claims and empties it.
void owner_and_claimer_of_an_outbox() {
  Inbox inbox;
  Outbox outbox;
  std::array<Block, kMost> blocks;
  outbox.add(inbox, &blocks[0], 1, 256);
  heddle_check::run_together({{"owner",
                               [&] {
                                 for (std::size_t i = 1; i < kMost; ++i) outbox.add(inbox, &blocks[i], 1, 256);
                                 outbox.flush();
                               }},
                              {"claimer", [&] {
                                 outbox.announce();
                                 sync::asymmetric_fence_heavy();
                                 outbox.flush_from_outside();
                                 outbox.withdraw();
                               }}});
  outbox.flush();  // the owner's own may have met the claim
  std::array<int, kMost> arrived{};
  std::size_t steps = 0;
  for (Block* block = inbox.take_all(); block != nullptr; block = block->next()) {
    heddle_check::require(++steps <= kMost, "a chain ends");
    ++arrived[static_cast<std::size_t>(block - blocks.data())];
  }
  for (const int times : arrived) heddle_check::require(times == 1, "every block arrives exactly once");
  heddle_check::require(outbox.freed().blocks == kMost, "every block is counted");
}

}  // namespace

void add_claim(Scenarios& to) {
  to.push_back({.name = "claim",
                .group = "memory",
                .threads = 2,
                .body = owner_and_claimer_of_an_outbox,
                .limits = {.stale_reads = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 50'000}},
                .claim = "an outbox that is emptied from outside loses no block and posts none twice"});
}

}  // namespace heddle::check
