// Completion handlers: how many run a second, how long after their ticket they begin, and what an idle runtime costs.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include "cli/bench.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count());
}

// Handlers run per second by `threads` threads that commit lists of one small fill with `handlers` handlers each.
double handlers_per_second(const Options& opened, double seconds, unsigned threads, int handlers) {
  Runtime runtime(opened);
  std::atomic<bool> stop{false};
  std::latch ready(threads + 1);
  std::vector<std::thread> pool;
  pool.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) {
    pool.emplace_back([&] {
      const Shape shape{8};
      ready.arrive_and_wait();
      for (int list = 0; !stop.load(std::memory_order_relaxed); ++list) {
        const Tensor filled = full(runtime, shape, 1.0F);
        for (int handler = 0; handler < handlers; ++handler) runtime.on_complete([](const Status&) {});
        if (list % 40 == 39) runtime.synchronize();
      }
      runtime.synchronize();
    });
  }
  ready.arrive_and_wait();
  const Clock::time_point start = Clock::now();
  const std::uint64_t before = runtime.handler_statistics().run;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const std::uint64_t after = runtime.handler_statistics().run;
  const std::chrono::duration<double> spent = Clock::now() - start;
  stop.store(true);
  for (std::thread& thread : pool) thread.join();
  return static_cast<double>(after - before) / spent.count();
}

constexpr int kWorkBehind = 20;  // products of one list: a few of them are outstanding when its handler is due

struct Latency {
  double median_us = 0;
  double p99_us = 0;
};

Latency summarise(std::vector<double>& microseconds) {
  std::sort(microseconds.begin(), microseconds.end());
  const std::size_t last = microseconds.size() - 1;
  return {microseconds[last / 2], microseconds[last * 99 / 100]};
}

// From the end of a list to the entry of its handler. `ahead`: lists that stay outstanding behind the one that is
// looked at; 0: the runtime sleeps in between. Where the host executes, the last command writes down the time;
// elsewhere a thread spins on the ticket and does.
Latency latency(const Options& opened, double seconds, int ahead) {
  Runtime runtime(opened);
  const bool on_host = runtime.device_info().host_accessible;
  std::vector<double> all;
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  struct Probe {
    std::uint64_t finished = 0;
    Event event;
    std::atomic<std::uint64_t> entered{0};
  };
  while (Clock::now() < end) {
    std::vector<Probe> probes(static_cast<std::size_t>(ahead) + 1);
    for (Probe& probe : probes) {
      const Tensor x = randn(runtime, {64, 64});
      if (on_host) {
        custom(runtime, "probe", {x}, {}, [&probe](const CustomCall&) { probe.finished = now_ns(); });
      } else {
        for (int i = 0; i < kWorkBehind; ++i) const Tensor y = matmul(x, x);
      }
      runtime.on_complete([&probe](const Status&) { probe.entered.store(now_ns(), std::memory_order_release); });
      probe.event = runtime.record_event();
    }
    for (Probe& probe : probes) {
      if (!on_host) {
        while (!probe.event.query()) sync::spin_wait();
        probe.finished = now_ns();
      }
      while (probe.entered.load(std::memory_order_acquire) == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      // The handler may be there before the thread that spins.
      const auto late = static_cast<std::int64_t>(probe.entered.load() - probe.finished);
      all.push_back(static_cast<double>(std::max<std::int64_t>(late, 0)) * 1e-3);
    }
    if (ahead == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return summarise(all);
}

// Percent of one core that a runtime uses which has run handlers and then has nothing to do.
double idle_percent(const Options& opened, double seconds) {
  Runtime runtime(opened);
  full(runtime, {8}, 1.0F);
  runtime.on_complete([](const Status&) {});
  runtime.synchronize();
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const double before = process_cpu_seconds();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return (process_cpu_seconds() - before) / seconds * 100;
}

}  // namespace

BenchRows bench_notice(const BenchOptions& options) {
  BenchRows rows = {{"32 threads, 1 handler a list", "handlers/s", {}},
                    {"32 threads, 8 handlers a list", "handlers/s", {}},
                    {"ticket to handler, work outstanding, median", "us", {}},
                    {"ticket to handler, work outstanding, p99", "us", {}},
                    {"ticket to handler, from sleep, median", "us", {}},
                    {"ticket to handler, from sleep, p99", "us", {}},
                    {"idle runtime", "% of a core", {}}};
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    rows[0].values.push_back(handlers_per_second(options.runtime, options.seconds, 32, 1));
    rows[1].values.push_back(handlers_per_second(options.runtime, options.seconds, 32, 8));
    const Latency busy = latency(options.runtime, options.seconds, 32);
    rows[2].values.push_back(busy.median_us);
    rows[3].values.push_back(busy.p99_us);
    const Latency asleep = latency(options.runtime, options.seconds, 0);
    rows[4].values.push_back(asleep.median_us);
    rows[5].values.push_back(asleep.p99_us);
    rows[6].values.push_back(idle_percent(options.runtime, options.seconds));
  }
  return rows;
}

}  // namespace heddle::cli
