// What synchronising often costs: the stress loop at N = 64 with 32 threads; 40 is the interval the others compare
// with.
#include <fmt/core.h>

#include "cli/bench/bench.hpp"

namespace heddle::cli {

BenchRows bench_sync_pattern(const BenchOptions& options) {
  const std::vector<std::uint64_t> intervals = {1, 2, 4, 8, 16, 32, 40, 64, 128, 256};
  BenchRows rows;
  for (const std::uint64_t interval : intervals)
    rows.push_back({fmt::format("every {}", interval), "iterations/s", {}});
  BenchRow ratio{"every 1 / every 40", "", {}};
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    options.report_done(static_cast<double>(run) / static_cast<double>(options.runs));
    double every_40 = 1;
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      const double rate = stress_rate(options, 32, 64, intervals[i]);
      rows[i].values.push_back(rate);
      if (intervals[i] == 40) every_40 = rate;
    }
    ratio.values.push_back(rows[0].values.back() / every_40);
  }
  rows.push_back(std::move(ratio));
  return rows;
}

}  // namespace heddle::cli
