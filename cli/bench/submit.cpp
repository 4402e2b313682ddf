// What one list costs: commit, execution of tiny commands, and the wait; recording is not counted.
#include <fmt/core.h>

#include <chrono>

#include "cli/bench/bench.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Median of the microseconds from commit to the end of the wait.
double microseconds_per_list(Runtime& runtime, double seconds, int commands) {
  std::vector<double> lists;
  const Shape shape{8};
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  do {
    for (int i = 0; i < commands; ++i) const Tensor filled = full(runtime, shape, 1.0F);
    const Clock::time_point start = Clock::now();
    runtime.synchronize();
    const std::chrono::duration<double, std::micro> spent = Clock::now() - start;
    lists.push_back(spent.count());
  } while (Clock::now() < end);
  return median(std::move(lists));
}

}  // namespace

BenchRows bench_submit(const BenchOptions& options) {
  Runtime runtime(options.runtime);
  const Lease lease = runtime.lease();
  BenchRows rows;
  const std::vector<int> sizes = {1, 12, 120};
  for (const int commands : sizes) rows.push_back({fmt::format("{} commands", commands), "us/list", {}});
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    options.report_done(static_cast<double>(run) / static_cast<double>(options.runs));
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      rows[i].values.push_back(microseconds_per_list(runtime, options.seconds, sizes[i]));
    }
  }
  return rows;
}

}  // namespace heddle::cli
