#include <array>

#include "check/scenarios.hpp"
#include "heddle/memory/outbox.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kMost = 4;

// A thread collects `blocks_added` blocks in its outbox while a thread that ran out of memory claims and empties it.
// With `held`, the heap's holder also takes the arriving blocks.
void owner_and_claimer_of_an_outbox(std::size_t blocks_added, bool held) {
  Inbox inbox;
  Outbox outbox;
  std::array<Block, kMost> blocks;
  outbox.add(inbox, &blocks[0], 1, 256);
  std::array<int, kMost> arrived{};
  const auto take = [&] {
    std::size_t steps = 0;
    for (Block* block = inbox.take_all(); block != nullptr; block = block->next()) {
      heddle_check::require(++steps <= blocks_added, "a chain ends");
      ++arrived[static_cast<std::size_t>(block - blocks.data())];
    }
  };
  const auto own = [&] {
    for (std::size_t i = 1; i < blocks_added; ++i) outbox.add(inbox, &blocks[i], 1, 256);
    outbox.flush();
  };
  const auto claim = [&] {
    outbox.announce();
    sync::asymmetric_fence_heavy();
    outbox.flush_from_outside();
    outbox.withdraw();
  };
  if (held) {
    heddle_check::run_together({{"owner", own}, {"claimer", claim}, {"holder", [&] {
                                                                       take();
                                                                       take();
                                                                     }}});
  } else {
    heddle_check::run_together({{"owner", own}, {"claimer", claim}});
  }
  outbox.flush();  // the owner's own flush may have met the claim
  take();
  for (std::size_t i = 0; i < blocks_added; ++i) {
    heddle_check::require(arrived[i] == 1, "every block arrives exactly once");
  }
  heddle_check::require(outbox.freed().blocks == blocks_added, "every block is counted");
}

}  // namespace

void add_claim(Scenarios& to) {
  to.push_back({.name = "claim",
                .group = "memory",
                .threads = 2,
                .body = [] { owner_and_claimer_of_an_outbox(3, false); },
                .limits = {.stale_reads = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 50'000}},
                .claim = "an outbox that another thread empties loses no block and posts none twice"});
  to.push_back({.name = "claim_2x4",
                .group = "memory",
                .threads = 2,
                .body = [] { owner_and_claimer_of_an_outbox(4, false); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same with an owner and a claimer and four operations each"});
  to.push_back({.name = "claim_3x2",
                .group = "memory",
                .threads = 3,
                .body = [] { owner_and_claimer_of_an_outbox(2, true); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same while the heap's holder takes the arriving blocks"});
}

}  // namespace heddle::check
