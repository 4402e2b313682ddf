#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/ops/ops.hpp"
#include "heddle/runtime/runtime.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Two threads compute while the device refuses a segment, at any time, to any of them.
void two_threads_with_a_refusal() {
  Runtime runtime(simulated());
  const auto user = [&] {
    try {
      const Tensor x = full(runtime, {1}, 2.0f);
      heddle_check::require(add(x, x).item() == 4.0f, "the sum is right");
    } catch (const OutOfMemory&) {  // as the contract says: nothing is changed by it
    }
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  user();
  runtime.release_cached();
  heddle_check::require(runtime.memory_statistics().reserved == 0, "what was refused is not counted as obtained");
  const ShutdownReport report = runtime.shutdown();
  heddle_check::require(report.complete, "nothing was left undone");
  heddle_check::require(report.leaked_blocks == 0, "no block is left");
}

}  // namespace

void add_refused_memory(Scenarios& to) {
  to.push_back({.name = "refused_memory",
                .group = "memory",
                .threads = 2,
                .body = two_threads_with_a_refusal,
                .limits = {.allocation_failures = 2},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 5'000}},
                .claim = "a refused segment is got over, or is the error of one call, and leaves nothing behind"});
}

}  // namespace heddle::check
