#include "heddle/memory/inbox.hpp"

#include <array>

#include "check/scenarios.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kMost = 4;

// `posters` threads post four blocks in chains of `length` while the holder empties the inbox `takes` times.
void posters_and_a_holder(std::size_t posters, std::size_t length, int takes) {
  Inbox inbox;
  std::array<Block, kMost> blocks;
  std::array<heddle_check::Cell<int>, kMost> used;  // written by a poster before it posted the block
  std::array<int, kMost> arrived{};
  const auto post = [&](std::size_t poster) {
    const std::size_t share = kMost / posters;
    for (std::size_t first = poster * share; first < (poster + 1) * share; first += length) {
      std::array<Block*, kMost> chain{};
      for (std::size_t i = 0; i < length; ++i) {
        used[first + i].change() = 1;
        chain[i] = &blocks[first + i];
      }
      inbox.post({chain.data(), length});
    }
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
  const auto hold = [&] {
    for (int i = 0; i < takes; ++i) take();
  };
  if (posters == 1) {
    heddle_check::run_together({{"poster", [&] { post(0); }}, {"holder", hold}});
  } else {
    heddle_check::run_together({{"poster", [&] { post(0); }}, {"other poster", [&] { post(1); }}, {"holder", hold}});
  }
  take();
  for (const int times : arrived) heddle_check::require(times == 1, "every block arrives exactly once");
}

}  // namespace

void add_inbox(Scenarios& to) {
  to.push_back({.name = "inbox",
                .group = "memory",
                .threads = 3,
                .body = [] { posters_and_a_holder(2, 2, 1); },
                .limits = {.stale_reads = 1, .weak_failures = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 50'000}},
                .claim = "every posted block arrives exactly once, in a chain that ends"});
  to.push_back({.name = "inbox_2x4",
                .group = "memory",
                .threads = 2,
                .body = [] { posters_and_a_holder(1, 1, 4); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same with two threads and four operations each"});
  to.push_back({.name = "inbox_3x2",
                .group = "memory",
                .threads = 3,
                .body = [] { posters_and_a_holder(2, 1, 2); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same with three threads and two operations each"});
}

}  // namespace heddle::check
