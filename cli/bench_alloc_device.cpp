// `heddle bench alloc` on an accelerator: each thread makes a buffer handle of the device's memory on its own stream
// and drops it. Reported are all threads' pairs a second, the processor time of one, and the calls that the backend
// made to its driver meanwhile.
#include <fmt/core.h>

#include <atomic>
#include <barrier>
#include <chrono>

#include "cli/alloc_patterns.hpp"
#include "cli/bench_alloc_memory.hpp"
#include "heddle/backends/cuda/open.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBatch = 4096;

struct Measured {
  double pairs = 0;
  double seconds = 0;
  double cpu_nanoseconds = 0;  // over all threads
  double driver_calls = 0;
};

Measured measure(Runtime& runtime, std::size_t bytes, const PatternOptions& options) {
  Measured measured;
  Tally tally;
  std::atomic<double> pairs{0};
  Clock::time_point start;
  std::uint64_t calls = 0;
  std::barrier ready(options.threads, [&]() noexcept {
    start = Clock::now();
    calls = cuda_calls_made();
  });
  std::barrier done(options.threads, [&]() noexcept {
    measured.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    measured.driver_calls = static_cast<double>(cuda_calls_made() - calls);
  });
  on_threads(options.threads, [&](std::uint32_t) {
    const Lease lease = runtime.lease();
    const std::shared_ptr<LanePool>& pool = runtime.core().pool();
    DeviceMemory& memory = runtime.core().memory();
    for (int i = 0; i < 100; ++i) static_cast<void>(Buffer::create(pool, memory, bytes));
    ready.arrive_and_wait();
    const Stopwatch watch(options.seconds);
    double mine = 0;
    const double before = thread_nanoseconds();
    for (; watch.running(); mine += kBatch) {
      for (int i = 0; i < kBatch; ++i) const Buffer buffer = Buffer::create(pool, memory, bytes);
    }
    tally.add(mine, thread_nanoseconds() - before);
    pairs += mine;
    done.arrive_and_wait();
  });
  measured.pairs = pairs;
  measured.cpu_nanoseconds = tally.per_pair() * measured.pairs;
  return measured;
}

}  // namespace

BenchRows bench_alloc_device(const BenchOptions& options) {
  BenchRows rows;
  Options opened = options.runtime;
  opened.streams_max = std::max(128U, options.threads + 2);
  Runtime runtime(opened);
  for (const auto& [bytes, name] : {std::pair<std::size_t, const char*>{512, "512 B"},
                                    {std::size_t{16} << 10, "16 KiB"},
                                    {std::size_t{1} << 20, "1 MiB"},
                                    {std::size_t{16} << 20, "16 MiB"}}) {
    BenchRow rate{fmt::format("{}, all threads", name), "pairs/s", {}};
    BenchRow cost{name, "ns/pair", {}};
    BenchRow calls{fmt::format("{}, driver calls", name), "per 1,000 pairs", {}};
    for (std::uint64_t run = 0; run < options.runs; ++run) {
      const Measured one = measure(runtime, bytes, {options.threads, options.seconds});
      rate.values.push_back(one.pairs / one.seconds);
      cost.values.push_back(one.cpu_nanoseconds / one.pairs);
      calls.values.push_back(1000 * one.driver_calls / one.pairs);
    }
    for (BenchRow& row : {std::ref(rate), std::ref(cost), std::ref(calls)}) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace heddle::cli
