// Attempt 3: many threads at once, each on a stream of its own, all results compared.
#include <fmt/core.h>

#include <algorithm>

#include "cli/stress/family.hpp"
#include "cli/stress/report.hpp"
#include "cli/stress/stress.hpp"
#include "cli/verify/attempt.hpp"

namespace heddle::cli {
namespace {

// What a full comparison with double precision must be given, and below what the matrices are small.
constexpr double kFullCheckSeconds = 20;
constexpr double kLargeSeconds = 4;

void stress(AttemptRun& run, const StressOptions& options, const std::string& source) {
  run.step(source, fmt::format("{} threads, N = {}", options.threads, options.size), [&](Claim& claim) {
    claim.method = fmt::format("the shipped build: {} threads x {} iterations of randn, matmul, sum", options.threads,
                               options.iterations);
    claim.scope = fmt::format("synchronised every {} iterations; {} sums compared with double precision",
                              options.sync_every, options.check == Check::kFull ? "all" : "one of each list's");
    const StressResult result = run_stress(options);
    claim.executions = result.total_iterations;
    claim.figures = {{"iterations_per_second", result.iterations_per_second()},
                     {"checked", result.checked},
                     {"seconds", result.seconds}};
    claim.failures = result.first_errors;
    if (!result.pass && claim.failures.empty())
      claim.failures = {"the device executed other counts than were asked for"};
  });
}

void load(AttemptRun& run) {
  StressOptions options;
  options.runtime.device = run.options().device;
  options.seed = run.options().seed;
  if (run.options().inject) {
    options.inject = Inject::kStale;
    options.iterations = 40;
  }
  const bool large = run.load_seconds() >= kLargeSeconds;
  options.size = large ? 256 : 32;
  options.check = large && run.load_seconds() < kFullCheckSeconds ? Check::kSampled : Check::kFull;
  stress(run, options, "load stress");
  if (run.options().inject) return;
  options.size = large ? 64 : 32;
  options.check = run.load_seconds() >= kFullCheckSeconds ? Check::kFull : Check::kSampled;
  for (const std::uint32_t threads : kFamilyThreads) {
    options.threads = threads;
    stress(run, options, "load family");
  }
}

}  // namespace

const Attempt& attempt_concurrency() {
  static const Attempt attempt = {
      3,
      "high concurrency",
      {"pool"},
      load,
      {"the checker's scenarios of the stream pool, on the library's own sources",
       "the shipped build: 32 threads x 400 iterations, synchronised every 40, results compared with double precision",
       "the shipped build: the same with 8, 16, 20, 32, 48, 64 and 80 threads"},
      {
          {"one stream given to two threads",
           "src/heddle/stream/lane_table.cpp",
           "LaneTable::take_lowest",
           {"group pool", "load stress", "load family"}},
          {"a waiter that nobody serves, or that a newcomer overtakes",
           "src/heddle/stream/lane_exchange.cpp",
           "LaneExchange::give",
           {"group pool", "load family"}},
          {"a stream taken from a thread that is recording on it",
           "src/heddle/stream/lane_exchange.cpp",
           "LaneExchange::revoke_idle",
           {"group pool/revocation", "load family"}},
          {"owner and claimer both inside",
           "src/heddle/sync/owner_gate.hpp",
           "try_enter",
           {"group pool", "load family"}},
          {"a stream lost when its thread exits",
           "src/heddle/stream/thread_leases.cpp",
           "ThreadLeases::~ThreadLeases",
           {"group pool/streams_of_ended_threads", "load family"}},
          {"a refusal although a stream is on its way back",
           "src/heddle/stream/lane_exchange.cpp",
           "LaneExchange::any_returning",
           {"group pool/pool_that_fails"}},
          {"a stream that the device refused, counted as used",
           "src/heddle/stream/lane_pool.cpp",
           "LanePool::create_lane",
           {"group pool"}},
          {"a lease ended by another thread",
           "src/heddle/stream/lane_pool.cpp",
           "LanePool::release_from_outside",
           {"group pool"}},
          {"a result read before it is there",
           "src/heddle/stream/lane.cpp",
           "Lane::wait",
           {"load stress", "load family"}},
          {"a result of the round before",
           "src/heddle/stream/lane.cpp",
           "Lane::close_list",
           {"load stress", "load family"}},
          {"lists of one stream run out of order",
           "src/heddle/backends/cpu/queue.cpp",
           "CpuQueue::submit",
           {"load stress", "load family"}},
      },
      {"more threads or streams than the scopes name", "accelerators: only the CPU device was run",
       "kernels: the checker sees what they read and write, not what they compute; the loads compare their results"}};
  return attempt;
}

}  // namespace heddle::cli
