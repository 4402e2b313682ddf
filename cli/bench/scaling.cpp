// The stress loop at growing numbers of threads.
#include <fmt/core.h>

#include "cli/bench/bench.hpp"

namespace heddle::cli {

BenchRows bench_scaling(const BenchOptions& options) {
  struct Case {
    std::uint64_t size;
    std::uint32_t threads;
  };
  std::vector<Case> cases;
  std::vector<std::uint64_t> sizes = {64, 256};
  if (!Runtime(options.runtime).device_info().executes_on_caller) sizes.push_back(1024);  // one product fills it
  for (const std::uint64_t size : sizes) {
    for (const std::uint32_t threads : {1, 2, 4, 8, 32}) cases.push_back({size, threads});
  }
  BenchRows rows;
  for (const Case& one : cases) {
    rows.push_back({fmt::format("N = {}, {} threads", one.size, one.threads), "iterations/s", {}});
  }
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    options.report_done(static_cast<double>(run) / static_cast<double>(options.runs));
    for (std::size_t i = 0; i < cases.size(); ++i) {
      rows[i].values.push_back(stress_rate(options, cases[i].threads, cases[i].size, 40));
    }
  }
  return rows;
}

}  // namespace heddle::cli
