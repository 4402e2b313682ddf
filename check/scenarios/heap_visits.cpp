#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/ops/ops.hpp"
#include "heddle/runtime/runtime.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// A thread takes and gives back memory of its stream's heap while another looks into the heaps of all streams, and
// empties them; the host may have no memory for one step of that.
void heap_that_is_visited() {
  Runtime runtime(simulated());
  DeviceMemory& memory = runtime.core().memory();
  heddle_check::run_together({{"recorder",
                               [&] {
                                 with_memory([&] {
                                   const Tensor kept = full(runtime, {1}, 2.0f);
                                   full(runtime, {1}, 3.0f);  // and dropped
                                   heddle_check::require(add(kept, kept).item() == 4.0f, "what is live is not touched");
                                 });
                               }},
                              {"visitor", [&] {
                                 heddle_check::require(memory.live_sizes(3).size() <= 3, "at most three are live");
                                 with_memory([&] { runtime.release_cached(); });
                               }}});
  heddle_check::require(memory.audit(), "every heap was looked at, and the sums are right");
  heddle_check::require(memory.statistics().live_blocks == 0, "no block is left");
  heddle_check::require(runtime.shutdown().complete, "nothing was left undone");
}

}  // namespace

void add_heap_visits(Scenarios& to) {
  to.push_back({.name = "heap_visits",
                .group = "memory",
                .threads = 2,
                .body = heap_that_is_visited,
                .limits = {.host_memory_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a heap is looked into and emptied from outside only between its holder's operations"});
}

}  // namespace heddle::check
