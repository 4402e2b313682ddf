#include "heddle/runtime.hpp"

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/ops.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// A whole runtime on the simulated device: two threads compute and read, then it shuts down.
void two_threads_and_shutdown() {
  Runtime runtime(simulated());
  const auto user = [&] {
    const Tensor x = full(runtime, {1}, 2.0f);
    heddle_check::require(add(x, x).item() == 4.0f, "the sum is right");
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  const ShutdownReport report = runtime.shutdown();
  heddle_check::require(report.complete, "everything was done");
  heddle_check::require(report.leaked_blocks == 0, "no block is left");
}

}  // namespace

void add_runtime(Scenarios& to) {
  to.push_back({.name = "runtime_two_threads",
                .group = "shutdown",
                .threads = 2,
                .body = two_threads_and_shutdown,
                .limits = {.timeout_mode = heddle_check::Timeouts::kChoice, .timeouts = 1, .spurious_wakeups = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "threads of one runtime do not interfere, and a shutdown completes their work"});
}

}  // namespace heddle::check
