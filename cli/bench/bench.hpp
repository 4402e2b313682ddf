// The benchmarks of `heddle bench`: one function and one file each. A new one is a function here and a line in
// kBenches in bench.cpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/stress/stress.hpp"

namespace heddle::cli {

struct BenchOptions {
  Options runtime;
  std::uint64_t runs = 5;
  double seconds = 2;  // of one measurement
  // Of `alloc` only:
  std::uint32_t threads = 1;
  std::string pattern = "same";
  std::string allocator = "all";

  // A measurement tells how far it is, 0 to 1, for the line that shows it.
  void report_done(double fraction) const { done->store(fraction, std::memory_order_relaxed); }
  std::shared_ptr<std::atomic<double>> done = std::make_shared<std::atomic<double>>(0.0);
};

// One case: a value of every run. The median, least and greatest are shown.
struct BenchRow {
  std::string name;
  std::string unit;
  std::vector<double> values;
};

using BenchRows = std::vector<BenchRow>;

BenchRows bench_record(const BenchOptions& options);
BenchRows bench_submit(const BenchOptions& options);
BenchRows bench_sync_pattern(const BenchOptions& options);
BenchRows bench_scaling(const BenchOptions& options);
BenchRows bench_ceiling(const BenchOptions& options);
BenchRows bench_notice(const BenchOptions& options);
// A measurement takes a tenth of options.seconds.
BenchRows bench_alloc(const BenchOptions& options);

// Iterations per second of the stress workload in its steady state, nothing checked.
double stress_rate(const BenchOptions& options, std::uint32_t threads, std::uint64_t size, std::uint64_t sync_every);

// The middle of `values`, which must not be empty.
double median(std::vector<double> values);

}  // namespace heddle::cli
