// The `soak` pattern of `heddle bench alloc`: leases churn, sizes are random, results cross threads; watched is whether
// the memory reserved and the process's resident memory go on growing. Reported are their maxima over the second half
// of the time beside those from a fifth to a half of it; a minute and longer, growth by more than 1 % is an error.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "cli/bench/alloc_parts.hpp"
#include "cli/bench/measured_threads.hpp"

namespace heddle::cli {
namespace {

constexpr double kMiB = 1 << 20;
constexpr double kMostGrowth = 1.01;
constexpr double kJudgedSeconds = 60;  // shorter runs have not come to rest

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / kMiB;
}

void churn(Runtime& runtime, std::uint32_t number, std::mutex& mutex, std::vector<Tensor>& exchange,
           const std::atomic<bool>& stop) {
  std::minstd_rand random(number + 1);
  while (!stop) {
    const Lease lease = runtime.lease();
    std::vector<Tensor> own;
    for (int step = 0; step < 100 && !stop; ++step) {
      const auto elements = static_cast<std::int64_t>(1 + random() % (std::size_t{1} << (4 + random() % 15)));
      own.push_back(add(full(runtime, {elements}, 1.0f), full(runtime, {elements}, 2.0f)));
      if (random() % 8 == 0) {
        runtime.commit();  // before another thread may use it
        const std::lock_guard lock(mutex);
        std::swap(own.back(), exchange[random() % exchange.size()]);
      }
      std::erase_if(own, [](const Tensor& tensor) { return !tensor.defined(); });
      if (own.size() > 20) own.erase(own.begin(), own.begin() + 10);
    }
    runtime.synchronize();
  }
}

}  // namespace

BenchRows bench_alloc_soak(const BenchOptions& options) {
  using Clock = std::chrono::steady_clock;
  Options opened;
  opened.memory_limit = std::size_t{4} << 30;  // far above what lives at once, so that growth would be seen
  Runtime runtime(opened);
  std::mutex mutex;
  std::vector<Tensor> exchange(64);
  std::atomic<bool> stop{false};
  MeasuringThreads threads;
  for (std::uint32_t number = 0; number < std::max(4U, options.threads); ++number) {
    threads.start([&, number] { churn(runtime, number, mutex, exchange, stop); });
  }
  double early_reserved = 0;
  double early_resident = 0;
  double late_reserved = 0;
  double late_resident = 0;
  const Clock::time_point start = Clock::now();
  while (true) {
    const double spent = std::chrono::duration<double>(Clock::now() - start).count() / options.seconds;
    if (spent > 1) break;
    options.report_done(spent);
    const double reserved = static_cast<double>(runtime.memory_statistics().reserved) / kMiB;
    const double resident = resident_mib();
    if (spent > 0.2 && spent <= 0.5) {
      early_reserved = std::max(early_reserved, reserved);
      early_resident = std::max(early_resident, resident);
    } else if (spent > 0.5) {
      late_reserved = std::max(late_reserved, reserved);
      late_resident = std::max(late_resident, resident);
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(1.0, options.seconds / 100)));
  }
  stop = true;
  threads.join();
  exchange.clear();
  if (options.seconds >= kJudgedSeconds &&
      (late_reserved > kMostGrowth * early_reserved || late_resident > kMostGrowth * early_resident)) {
    throw std::runtime_error(
        fmt::format("bench alloc, pattern soak: memory grew; reserved {:.1f}, then {:.1f} MiB, resident {:.1f}, then "
                    "{:.1f} MiB; at most 1 % more is allowed",
                    early_reserved, late_reserved, early_resident, late_resident));
  }
  return {{"reserved, 20 % to 50 % of the time", "MiB", {early_reserved}},
          {"reserved, second half", "MiB", {late_reserved}},
          {"resident, 20 % to 50 % of the time", "MiB", {early_resident}},
          {"resident, second half", "MiB", {late_resident}},
          {"reserved, second half / before", "x", {late_reserved / early_reserved}},
          {"resident, second half / before", "x", {late_resident / early_resident}}};
}

}  // namespace heddle::cli
