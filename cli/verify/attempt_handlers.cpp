// Attempt 2: completion handlers, told exactly once whatever happens, also when the runtime shuts down under load.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "cli/stress/handler_load.hpp"
#include "cli/verify/attempt.hpp"

namespace heddle::cli {
namespace {

constexpr int kLeastRuntimes = 3;

void load(AttemptRun& run) {
  run.step("load handlers", "32 threads register until the runtime is shut down", [&run](Claim& claim) {
    const bool canary = run.options().inject;
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(run.load_seconds());
    HandlerLoadOptions options;
    options.runtime.device = run.options().device;
    options.lose_one = canary;
    HandlerLoadResult total;
    int runtimes = 0;
    for (; claim.failures.empty() && (runtimes < kLeastRuntimes || std::chrono::steady_clock::now() < end);
         ++runtimes) {
      options.seed = run.options().seed * 1'000'000 + static_cast<std::uint64_t>(runtimes);
      const HandlerLoadResult one = run_handler_load(options);
      total.registered += one.registered;
      total.run += one.run;
      total.abandoned += one.abandoned;
      total.threw += one.threw;
      total.refused += one.refused;
      total.sums_checked += one.sums_checked;
      total.shutdown_seconds = std::max(total.shutdown_seconds, one.shutdown_seconds);
      for (const std::string& failure : one.failures) {
        claim.failures.push_back(fmt::format("runtime {}, seed {}: {}", runtimes + 1, options.seed, failure));
      }
    }
    claim.method =
        "the shipped build: handlers that note, throw, record and register again, or go to an executor that "
        "loses one of 8; a shutdown at a random point";
    claim.scope = fmt::format(
        "{} runtimes, 32 threads each; every handler looked at, one sum in 8 compared with double "
        "precision",
        runtimes);
    claim.executions = total.registered;
    claim.figures = {{"runtimes", runtimes},
                     {"registered", total.registered},
                     {"run", total.run},
                     {"abandoned", total.abandoned},
                     {"threw", total.threw},
                     {"refused", total.refused},
                     {"checked", total.sums_checked},
                     {"longest_shutdown_seconds", total.shutdown_seconds}};
  });
}

}  // namespace

const Attempt& attempt_handlers() {
  static const Attempt attempt = {
      2,
      "completion handlers",
      {"handlers", "shutdown", "ticket"},
      load,
      {"the checker's scenarios of handlers, shutdown and ticket waits, on the library's own sources",
       "the shipped build: 32 threads register handlers of all kinds; the runtime shuts down at a random point; each "
       "handler must be told exactly once, and registered = run + abandoned"},
      {
          {"a handler registered while its ticket completes is never told",
           "src/heddle/stream/handler_queue.cpp",
           "HandlerQueue::add",
           {"group handlers", "load handlers"}},
          {"a handler told twice",
           "src/heddle/stream/handler_queue.cpp",
           "HandlerQueue::take",
           {"group handlers", "load handlers"}},
          {"a count that an exception leaves wrong",
           "src/heddle/stream/handler_runner.cpp",
           "HandlerRunner::call",
           {"group handlers", "load handlers"}},
          {"a ready stream that nobody schedules",
           "src/heddle/stream/handler_thread.cpp",
           "HandlerThread::schedule",
           {"group handlers", "load handlers"}},
          {"a handler that starts when the shutdown is over",
           "src/heddle/stream/handler_thread.cpp",
           "HandlerThread::stop",
           {"group shutdown", "load handlers"}},
          {"a registration that comes between the last sweep and the end",
           "src/heddle/stream/handler_queue.cpp",
           "HandlerQueue::close",
           {"group shutdown", "load handlers"}},
          {"two threads shut down at once",
           "src/heddle/runtime/lifecycle.cpp",
           "Lifecycle::shut_down",
           {"group shutdown"}},
          {"recorded work that a shutdown loses",
           "src/heddle/stream/lane_pool.cpp",
           "LanePool::close",
           {"group shutdown", "load handlers"}},
          {"a waiter that sleeps through its ticket",
           "src/heddle/stream/ticket_parking.cpp",
           "TicketParking::park",
           {"group ticket", "load handlers"}},
          {"a task that the executor loses",
           "src/heddle/stream/handler_runner.cpp",
           "HandlerRunner::Task",
           {"group handlers/executor", "load handlers"}},
          {"a registering thread that waits for room for ever",
           "src/heddle/stream/handler_queue.cpp",
           "HandlerQueue::wait_for_room",
           {"group handlers/handlers_at_the_bound", "load handlers"}},
          {"a handler that waits for the shutdown that waits for it",
           "src/heddle/runtime/lifecycle.cpp",
           "Lifecycle::shutdown",
           {"group shutdown/shutdown_in_handler"}},
          {"progress that the poller does not see", "src/heddle/stream/poller.cpp", "Poller::look", {"group handlers"}},
      },
      {"executors that drop or delay a task: tests and the load only, no scenario yet",
       "a backend that writes tickets silently: the CPU device announces them, so the loads do not use the poller",
       "handlers that never return: the loads' all do", "drivers and accelerators: only the CPU device was run"}};
  return attempt;
}

}  // namespace heddle::cli
