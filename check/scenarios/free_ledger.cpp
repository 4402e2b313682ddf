#include "heddle/memory/free_ledger.hpp"

#include <array>
#include <memory>

#include "check/scenarios.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Two threads return the last blocks of a memory, each through its outbox if it has one, while a third retires the
// memory.
void last_blocks_of_a_retired_memory() {
  const auto ledger = std::make_shared<FreeLedger>();
  Inbox inbox;
  std::array<Block, 2> blocks;
  heddle_check::Noted<int> ended = 0;
  const auto end_memory = [&](void*) {
    heddle_check::require(ledger->freed().blocks == blocks.size(), "the memory ends with its last block");
    ledger->close();
    ++ended;
  };
  std::shared_ptr<void> owner(&blocks, end_memory);
  const auto give_back = [&](Block& block) {
    Outbox* const outbox = ledger->outbox();
    if (outbox != nullptr) {
      outbox->add(inbox, &block, 1, 256);
    } else {  // the host has no memory for an outbox
      Block* const posted = &block;
      inbox.post({&posted, 1});
      ledger->count(1, 256);
    }
    ledger->settle(outbox);
  };
  heddle_check::run_together({{"first", [&] { give_back(blocks[0]); }},
                              {"second", [&] { give_back(blocks[1]); }},
                              {"closer", [&] { ledger->retire(blocks.size(), std::move(owner)); }}});
  heddle_check::require(ended == 1, "a memory whose last block has returned ends once");
}

}  // namespace

void add_free_ledger(Scenarios& to) {
  to.push_back({.name = "retired_memory",
                .group = "memory",
                .threads = 3,
                .body = last_blocks_of_a_retired_memory,
                .limits = {.stale_reads = 1, .host_memory_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 20'000}},
                .claim = "a retired memory ends once, after its last block, whichever thread returns that block"});
}

}  // namespace heddle::check
