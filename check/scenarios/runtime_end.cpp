// Ways in which a runtime, or a thread that used it, ends while others are working.
#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Records one command if the runtime is still open, and leaves it uncommitted.
int record_one(Runtime& runtime) {
  try {
    full(runtime, {1}, 2.0f);
    return 1;
  } catch (const Closed&) {  // per contract
    return 0;
  }
}

void two_shutdowns() {
  Runtime runtime(simulated());
  const int recorded = record_one(runtime);
  ShutdownReport first, second;
  heddle_check::run_together(
      {{"first", [&] { first = runtime.shutdown(); }}, {"second", [&] { second = runtime.shutdown(); }}});
  heddle_check::require(first.complete && first.completed == std::uint64_t(recorded), "recorded work is done");
  heddle_check::require(first.text() == second.text(), "both get the same report");
}

void thread_exit_and_shutdown() {
  Runtime runtime(simulated());
  int recorded = 0;
  ShutdownReport report;
  heddle_check::run_together(
      {{"recorder", [&] { recorded = record_one(runtime); }}, {"closer", [&] { report = runtime.shutdown(); }}});
  heddle_check::require(report.complete && report.abandoned == 0, "everything was done");
  heddle_check::require(report.completed == std::uint64_t(recorded), "the thread's work is done");
}

void handler_and_shutdown() {
  Runtime runtime(simulated());
  heddle_check::Noted<int> taken = 0, told = 0;
  ShutdownReport report;
  heddle_check::run_together({{"recorder",
                               [&] {
                                 try {
                                   runtime.on_complete([&](const Status&) { ++told; });
                                   ++taken;
                                 } catch (const Closed&) {  // per contract
                                 }
                               }},
                              {"closer", [&] { report = runtime.shutdown(); }}});
  heddle_check::require(report.complete && report.handlers_pending == 0, "no handler is left");
  heddle_check::require(told == taken && report.handlers_run == std::uint64_t(taken),
                        "an accepted handler runs once, and a refused one does not");
}

}  // namespace

void add_runtime_end(Scenarios& to) {
  to.push_back({.name = "two_shutdowns",
                .group = "shutdown",
                .threads = 2,
                .body = two_shutdowns,
                .limits = {.spurious_wakeups = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "two threads that shut a runtime down get the same report, after everything is done"});
  to.push_back({.name = "thread_exit",
                .group = "shutdown",
                .threads = 2,
                .body = thread_exit_and_shutdown,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 5'000}},
                .claim = "a thread's uncommitted work is done, whether it exits before a shutdown or not"});
  to.push_back({.name = "handler_and_shutdown",
                .group = "shutdown",
                .threads = 3,
                .body = handler_and_shutdown,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a handler registered during a shutdown runs once or is refused"});
}

}  // namespace heddle::check
