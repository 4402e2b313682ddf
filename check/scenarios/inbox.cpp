#include "heddle/memory/inbox.hpp"

#include <array>

#include "check/scenarios.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kMost = 4;

// Two threads post chains of two blocks while the holder takes what is there.
void posters_and_a_holder() {
  Inbox inbox;
  std::array<Block, kMost> blocks;
  std::array<heddle_check::Cell<int>, kMost> used;  // what a poster did with a block before it gave it back
  std::array<int, kMost> arrived{};
  const auto post = [&](std::size_t first) {
    for (std::size_t i = first; i < first + 2; ++i) used[i].change() = 1;
    const std::array<Block*, 2> chain{&blocks[first], &blocks[first + 1]};
    inbox.post(chain);
  };
  const auto take = [&] {
    std::size_t steps = 0;
    for (Block* block = inbox.take_all(); block != nullptr; block = block->next()) {
      heddle_check::require(++steps <= kMost, "a chain ends");
      const auto index = static_cast<std::size_t>(block - blocks.data());
      ++arrived[index];
      heddle_check::require(used[index].get() == 1, "the holder sees what the poster did");
    }
  };
  heddle_check::run_together({{"poster", [&] { post(0); }}, {"other poster", [&] { post(2); }}, {"holder", take}});
  take();
  for (const int times : arrived) heddle_check::require(times == 1, "every block arrives exactly once");
}

}  // namespace

void add_inbox(Scenarios& to) {
  to.push_back({.name = "inbox",
                .group = "memory",
                .threads = 3,
                .body = posters_and_a_holder,
                .limits = {.stale_reads = 1, .weak_failures = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 50'000}},
                .claim = "every block that is posted arrives exactly once, in a chain that ends"});
}

}  // namespace heddle::check
