// A user's memory that is dropped while a stream uses it, and a runtime that ends meanwhile.
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
                                        runtime.reset();  // and with the last block, everything that it owned
                                      }}});
  heddle_check::require(report.complete, "everything was done");
  heddle_check::require(report.handlers_run == 0, "the library's own entries do not count as handlers");
  heddle_check::require(ended == 1, "the memory returns to its owner once");
}

// Two threads each defer the end of a block, one checks for deferred blocks, one closes.
void deferred_against_a_close() {
  DeferredFrees frees;
  std::array<Block, 2> blocks;
  std::array<heddle_check::Cell<int>, 2> used;  // writes to a block before it was deferred
  heddle_check::Cell<int> streams;              // known to the close
  std::array<int, 2> ended{};
  const auto end = [&](const Block* block) {
    const auto index = static_cast<std::size_t>(block - blocks.data());
    heddle_check::require(used[index].get() == 1, "the thread that ends a block sees the writes to it");
    ++ended[index];
  };
  const auto end_all = [&](const Block* chain) {
    while (chain != nullptr) end(std::exchange(chain, chain->next()));
  };
  const auto defer = [&](std::size_t i) {
    used[i].change() = 1;
    if (frees.post(&blocks[i])) return;
    heddle_check::require(streams.get() == 1, "a refused thread sees what came before the close");
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
                .claim = "a user's memory that is dropped during a shutdown returns to the user, once"});
  to.push_back({.name = "deferred_frees",
                .group = "memory",
                .threads = 3,
                .body = deferred_against_a_close,
                .limits = {.stale_reads = 1, .weak_failures = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 20'000}},
                .claim = "a deferred block is ended once: by a check for deferred blocks, by the close, or after it"});
}

}  // namespace heddle::check
