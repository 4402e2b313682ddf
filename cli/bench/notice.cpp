// Completion handlers: how many run a second, how long after their ticket they begin, and what an idle runtime costs.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <semaphore>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/bench/bench.hpp"
#include "cli/bench/measured_threads.hpp"
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
  MeasuringThreads pool;
  for (unsigned i = 0; i < threads; ++i) {
    pool.start([&] {
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
  pool.join();
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

// One list: when its last command, which is the one before the ticket is published, wrote down the time; and when its
// handler was entered.
struct Probe {
  std::uint64_t finished = 0;
  std::uint64_t entered = 0;
  double us() const { return static_cast<double>(entered - finished) * 1e-3; }
};

// One iteration of the stress loop, then the probe, then `entered`.
void probe_list(Runtime& runtime, Probe& probe, std::function<void()> entered) {
  const Tensor x = randn(runtime, {64, 64});
  const Tensor y = sum(matmul(x, x));
  custom(runtime, "probe", {y}, {}, [&probe](const CustomCall&) { probe.finished = now_ns(); });
  runtime.on_complete([&probe, entered = std::move(entered)](const Status&) {
    probe.entered = now_ns();
    entered();
  });
}

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// One stream whose worker goes from list to list, with nothing else to do: two cores, one of them for the handlers.
Latency latency_core_free(const Options& given, double seconds) {
  constexpr std::size_t kLists = 2000;  // many: the wake-up at the beginning of a batch is a case of its own
  Options opened = given;
  opened.limits.committed_lists_max = 2 * kLists;
  opened.limits.handlers_max = 2 * kLists;
  Runtime runtime(opened);
  std::vector<double> all;
  for (const Clock::time_point end = after(seconds); Clock::now() < end;) {
    std::vector<Probe> probes(kLists);
    std::latch recorded(1), done(kLists);
    // The thread that records is asleep before the first list runs; its handler finds the handler thread awake.
    custom(runtime, "gate", {}, {}, [&recorded](const CustomCall&) { recorded.wait(); });
    runtime.on_complete([](const Status&) {});
    for (Probe& probe : probes) probe_list(runtime, probe, [&done] { done.count_down(); });
    recorded.count_down();
    done.wait();
    for (const Probe& probe : probes) all.push_back(probe.us());
  }
  return summarise(all);
}

// 32 threads that each run their list, wait for it, and for its handler: there are more of them than cores.
Latency latency_cores_busy(const Options& opened, double seconds) {
  constexpr std::size_t kThreads = 32;
  Runtime runtime(opened);
  std::vector<std::vector<double>> each(kThreads);
  MeasuringThreads threads;
  const Clock::time_point end = after(seconds);
  for (std::vector<double>& mine : each) {
    threads.start([&runtime, &mine, end] {
      while (Clock::now() < end) {
        Probe probe;
        std::latch done(1);
        probe_list(runtime, probe, [&done] { done.count_down(); });
        runtime.synchronize();
        done.wait();
        mine.push_back(probe.us());
      }
    });
  }
  threads.join();
  std::vector<double> all;
  for (const std::vector<double>& mine : each) all.insert(all.end(), mine.begin(), mine.end());
  return summarise(all);
}

// The runtime sleeps between two lists.
Latency latency_from_sleep(const Options& opened, double seconds) {
  Runtime runtime(opened);
  std::vector<double> all;
  for (const Clock::time_point end = after(seconds); Clock::now() < end;) {
    Probe probe;
    std::latch done(1);
    probe_list(runtime, probe, [&done] { done.count_down(); });
    done.wait();
    all.push_back(probe.us());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return summarise(all);
}

// What the operating system takes to wake a sleeping thread, without a runtime: the floor of "from sleep".
Latency latency_of_wake_up(const Options&, double seconds) {
  std::atomic<bool> stop{false};
  std::binary_semaphore due(0), seen(0);
  std::uint64_t woken_at = 0;  // handed over by `seen`
  MeasuringThreads sleeper;
  sleeper.start([&] {
    while (true) {
      due.acquire();
      woken_at = now_ns();
      seen.release();
      if (stop.load(std::memory_order_relaxed)) return;
    }
  });
  std::vector<double> all;
  for (const Clock::time_point end = after(seconds); Clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const std::uint64_t start = now_ns();
    due.release();
    seen.acquire();
    all.push_back(static_cast<double>(woken_at - start) * 1e-3);
  }
  stop.store(true, std::memory_order_relaxed);
  due.release();
  sleeper.join();
  return summarise(all);
}

// What the machine takes to show a word of one spinning thread to another, without a runtime, at the pace of the lists:
// the floor of "a core free". Its tail is the timer's interrupt, and what else takes a processor away.
Latency latency_of_a_word(const Options&, double seconds) {
  constexpr std::uint64_t kPaceNs = 5'000;
  std::atomic<std::uint64_t> word{0};  // when it was written
  std::atomic<bool> stop{false};
  std::vector<double> all;
  MeasuringThreads watcher;
  watcher.start([&] {
    std::uint64_t seen = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      const std::uint64_t written = word.load(std::memory_order_acquire);
      if (written == seen) {
        sync::spin_wait();
        continue;
      }
      all.push_back(static_cast<double>(now_ns() - written) * 1e-3);
      seen = written;
    }
  });
  for (const Clock::time_point end = after(seconds); Clock::now() < end;) {
    const std::uint64_t last = word.load(std::memory_order_relaxed);
    while (now_ns() < last + kPaceNs) sync::spin_wait();
    word.store(now_ns(), std::memory_order_release);
  }
  stop.store(true);
  watcher.join();
  return summarise(all);
}

// The same where the device executes by itself: kAhead lists are outstanding behind the first one (0: the
// runtime sleeps in between), and a thread that spins on the ticket writes down the time.
template <std::size_t kAhead, std::int64_t kSide>
Latency latency_on_device(const Options& opened, double seconds) {
  struct DeviceProbe {
    std::uint64_t finished = 0;
    Event event;
    std::atomic<std::uint64_t> entered{0};
  };
  Runtime runtime(opened);
  std::vector<double> all;
  for (const Clock::time_point end = after(seconds); Clock::now() < end || all.empty();) {
    std::vector<DeviceProbe> probes(kAhead + 1);
    for (DeviceProbe& probe : probes) {
      const Tensor x = randn(runtime, {kSide, kSide});
      for (int i = 0; i < kWorkBehind; ++i) const Tensor y = matmul(x, x);
      runtime.on_complete([&probe](const Status&) { probe.entered.store(now_ns(), std::memory_order_release); });
      probe.event = runtime.record_event();
    }
    for (DeviceProbe& probe : probes) {   // without a pause, so that it sees each ticket at once
      if (probe.event.query()) continue;  // while the lists were recorded: when is not known
      while (!probe.event.query()) sync::spin_wait();
      probe.finished = now_ns();
    }
    for (DeviceProbe& probe : probes) {
      while (probe.entered.load(std::memory_order_acquire) == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      if (probe.finished == 0) continue;
      // The handler may be there before the thread that spins.
      const auto late = static_cast<std::int64_t>(probe.entered.load() - probe.finished);
      all.push_back(static_cast<double>(std::max<std::int64_t>(late, 0)) * 1e-3);
    }
    if (kAhead == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return summarise(all);
}

// Seconds on a processor of the threads that the library started, by their names; those of a device's driver are not
// among them. 0 where the kernel does not tell.
double library_cpu_seconds() {
  double seconds = 0;
  std::error_code gone;  // a thread may end meanwhile
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::string name;
    std::uint64_t nanoseconds = 0;
    std::getline(std::ifstream(task.path() / "comm"), name);
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    if (name.starts_with("heddle-")) seconds += static_cast<double>(nanoseconds) * 1e-9;
  }
  return seconds;
}

struct Idle {
  double process_percent = 0;
  double library_percent = 0;
};

// Percent of one core that a runtime uses which has run handlers and then has nothing to do.
Idle idle_percent(const Options& opened, double seconds) {
  Runtime runtime(opened);
  full(runtime, {8}, 1.0F);
  runtime.on_complete([](const Status&) {});
  runtime.synchronize();
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const double process = process_cpu_seconds();
  const double library = library_cpu_seconds();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return {(process_cpu_seconds() - process) / seconds * 100, (library_cpu_seconds() - library) / seconds * 100};
}

struct LatencyCase {
  const char* name;
  Latency (*measure)(const Options& opened, double seconds);
};

std::vector<LatencyCase> latency_cases(bool executes_on_host) {
  constexpr LatencyCase kWakeUp = {"a sleeping thread woken, no runtime", latency_of_wake_up};
  if (executes_on_host) {
    return {{"ticket to handler, lists outstanding, a core free", latency_core_free},
            {"ticket to handler, 32 threads on all cores", latency_cores_busy},
            {"ticket to handler, from sleep", latency_from_sleep},
            {"a word seen by a spinning thread, no runtime", latency_of_a_word},
            kWakeUp};
  }
  return {{"ticket to handler, lists outstanding, 20 products of 256", latency_on_device<32, 256>},
          {"ticket to handler, lists outstanding, 20 products of 1024", latency_on_device<32, 1024>},
          {"ticket to handler, from sleep, 20 products of 1024", latency_on_device<0, 1024>},
          kWakeUp};
}

}  // namespace

BenchRows bench_notice(const BenchOptions& options) {
  const std::vector<LatencyCase> cases = latency_cases(Runtime(options.runtime).device_info().host_accessible);
  BenchRows rows = {{"32 threads, 1 handler a list", "handlers/s", {}},
                    {"32 threads, 8 handlers a list", "handlers/s", {}}};
  for (const LatencyCase& latency : cases) {
    rows.push_back({fmt::format("{}, median", latency.name), "us", {}});
    rows.push_back({fmt::format("{}, p99", latency.name), "us", {}});
  }
  rows.push_back({"idle runtime", "% of a core", {}});
  rows.push_back({"idle runtime, its threads without a driver's", "% of a core", {}});
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    options.report_done(static_cast<double>(run) / static_cast<double>(options.runs));
    rows[0].values.push_back(handlers_per_second(options.runtime, options.seconds, 32, 1));
    rows[1].values.push_back(handlers_per_second(options.runtime, options.seconds, 32, 8));
    std::size_t row = 2;
    for (const LatencyCase& latency : cases) {
      const Latency measured = latency.measure(options.runtime, options.seconds);
      rows[row++].values.push_back(measured.median_us);
      rows[row++].values.push_back(measured.p99_us);
    }
    const Idle idle = idle_percent(options.runtime, options.seconds);
    rows[row++].values.push_back(idle.process_percent);
    rows[row].values.push_back(idle.library_percent);
  }
  return rows;
}

}  // namespace heddle::cli
