// Memory of the user's that is dropped while a stream uses it, and a runtime that ends meanwhile.
#include <array>
#include <memory>
#include <utility>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/memory/deferred_frees.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

void dropped_during_a_shutdown() {
  heddle_check::Noted<int> ended = 0;
  float mine = 1.0f;
  auto runtime = std::make_unique<Runtime>(simulated());
  Tensor x = Tensor::from_external(runtime->core(), &mine, {1}, {}, [&] { ++ended; });
  add(x, x);
  runtime->commit();
  ShutdownReport report;
  heddle_check::run_together(
      {{"dropper", [&] { x = {}; }}, {"closer", [&] {
                                        report = runtime->shutdown();
                                        runtime.reset();  // and with the last block, all that it owned
                                      }}});
  heddle_check::require(report.complete, "nothing was left undone");
  heddle_check::require(report.handlers_run == 0, "the library's own entries are nobody's handlers");
  heddle_check::require(ended == 1, "the memory is its owner's again, once");
}

// Two threads defer the end of a block each, one looks for such, one closes.
void deferred_against_a_close() {
  DeferredFrees frees;
  std::array<Block, 2> blocks;
  std::array<heddle_check::Cell<int>, 2> used;  // what was done to a block before it was deferred
  heddle_check::Cell<int> streams;              // what the close knows
  std::array<int, 2> ended{};
  const auto end = [&](const Block* block) {
    const auto index = static_cast<std::size_t>(block - blocks.data());
    heddle_check::require(used[index].get() == 1, "who ends a block sees what was done to it");
    ++ended[index];
  };
  const auto end_all = [&](const Block* chain) {
    while (chain != nullptr) end(std::exchange(chain, chain->next()));
  };
  const auto defer = [&](std::size_t i) {
    used[i].change() = 1;
    if (frees.post(&blocks[i])) return;
    heddle_check::require(streams.get() == 1, "who is refused sees what came before the close");
    end(&blocks[i]);
  };
  heddle_check::run_together({{"first", [&] { defer(0); }},
                              {"second",
                               [&] {
                                 defer(1);
                                 end_all(frees.take_all());
                               }},
                              {"closer", [&] {
                                 streams.change() = 1;
                                 end_all(frees.close());
                               }}});
  for (const int times : ended) heddle_check::require(times == 1, "every block is ended once");
}

}  // namespace

void add_external_memory(Scenarios& to) {
  to.push_back({.name = "memory_dropped_at_shutdown",
                .group = "shutdown",
                .threads = 2,
                .body = dropped_during_a_shutdown,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "memory of the user's that is dropped during a shutdown is the user's again, once"});
  to.push_back(
      {.name = "deferred_frees",
       .group = "memory",
       .threads = 3,
       .body = deferred_against_a_close,
       .limits = {.stale_reads = 1, .weak_failures = 1},
       .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 20'000}},
       .claim = "a block whose end is deferred is ended once, by who looks for such, by the close, or behind it"});
}

}  // namespace heddle::check
