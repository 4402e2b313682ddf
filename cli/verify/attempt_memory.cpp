// Attempt 1: memory pressure. Limits near and below what the threads need, and memory taken back while they run.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "cli/stress/loop.hpp"
#include "cli/stress/parallel.hpp"
#include "cli/stress/stress.hpp"
#include "cli/stress/thread_failures.hpp"
#include "cli/terminal/option_values.hpp"
#include "cli/verify/attempt.hpp"
#include "cli/verify/sums.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kThreads = 8;
constexpr double kAllSizesSeconds = 3;  // below it, only the small sizes
constexpr std::chrono::milliseconds kReleaseEvery{1};

StressOptions options_of(const AttemptRun& run, std::uint64_t size, std::uint64_t limit) {
  StressOptions options;
  options.runtime.device = run.options().device;
  options.runtime.memory_limit = limit;
  options.seed = run.options().seed;
  options.threads = kThreads;
  options.iterations = 80;
  options.size = size;
  options.check = Check::kFull;
  if (run.options().inject) options.inject = Inject::kRow;
  return options;
}

// Compares what the threads of a load have kept.
void compare(const StressOptions& options, std::span<const StressSlot> slots, Claim& claim) {
  std::vector<SumSample> samples;
  for (const StressSlot& slot : slots) samples.insert(samples.end(), slot.samples.begin(), slot.samples.end());
  const Verification verification = verify_sums({options.seed, options.size}, samples);
  claim.executions = verification.checked;
  claim.figures["checked"] = verification.checked;
  claim.failures.insert(claim.failures.end(), verification.first.begin(), verification.first.end());
  if (samples.empty()) claim.failures.emplace_back("no sum was computed, so nothing was shown");
}

void require_within_limit(const MemoryStatistics& memory, Claim& claim) {
  claim.figures["reserved_peak"] = memory.reserved_peak;
  claim.figures["limit"] = memory.limit;
  if (memory.reserved_peak > memory.limit) {
    claim.failures.push_back(
        fmt::format("{} bytes were reserved at once; the limit is {}", memory.reserved_peak, memory.limit));
  }
}

// Runs the stress loop of `options` on each of its threads.
std::vector<std::string> run_loops(Runtime& runtime, const StressOptions& options, std::span<StressSlot> slots,
                                   Clock::time_point deadline) {
  return in_threads(options.threads, [&](unsigned thread) {
    const Lease lease = runtime.lease();
    StressLoop loop(runtime, options, thread, slots[thread]);
    loop.run(deadline);
  });
}

// Twice what is live at once: two matrices a thread.
void within_limit(AttemptRun& run, std::uint64_t size) {
  const std::uint64_t limit = std::max<std::uint64_t>(512 << 10, 2 * kThreads * 2 * size * size * sizeof(float));
  run.step("load limits", fmt::format("N = {}, limit {}", size, bytes_text(limit)), [&](Claim& claim) {
    const StressOptions options = options_of(run, size, limit);
    claim.method = fmt::format("the shipped build: {} threads under a limit of twice their live set", kThreads);
    claim.scope = fmt::format("{} iterations a thread, all sums compared with double precision", options.iterations);
    const StressResult result = run_stress(options);
    claim.executions = result.total_iterations;
    claim.failures = result.first_errors;
    require_within_limit(result.memory, claim);
    claim.figures["checked"] = result.checked;
    if (!result.pass && claim.failures.empty())
      claim.failures = {"the device executed other counts than were asked for"};
  });
}

// No thread's matrix and product fit; afterwards small ones do, in the same runtime.
void below_live_set(AttemptRun& run) {
  run.step("load below the live set", "N = 256 does not fit, then N = 32 does", [&](Claim& claim) {
    constexpr std::uint64_t kLimit = 400 << 10;  // one matrix of 256 KiB fits, two do not
    StressOptions options = options_of(run, 32, kLimit);
    options.threads = 4;
    claim.method = "the shipped build: 4 threads that cannot get what they ask for, then ask for less";
    claim.scope = "one product a thread, then 80 iterations a thread, all sums compared with double precision";
    Runtime runtime(options.runtime);
    std::atomic<unsigned> refused{0};
    claim.failures = in_threads(options.threads, [&](unsigned thread) {
      const Lease lease = runtime.lease();
      Generator generator(runtime, options.seed, thread);
      try {
        const Tensor x = randn(generator, {256, 256});
        const Tensor y = matmul(x, x);
      } catch (const OutOfMemory&) {
        ++refused;
      }
    });
    if (refused != options.threads) {
      claim.failures.push_back(fmt::format("{} of {} threads got OutOfMemory", refused.load(), options.threads));
    }
    if (const std::size_t live = runtime.memory_statistics().live; live != 0) {
      claim.failures.push_back(fmt::format("{} bytes are live after the failed allocations", live));
    }
    std::vector<StressSlot> slots(options.threads);
    for (std::string& error : run_loops(runtime, options, slots, {})) claim.failures.push_back(std::move(error));
    compare(options, slots, claim);
    require_within_limit(runtime.memory_statistics(), claim);
    claim.figures["refused"] = refused.load();
  });
}

// Idle memory goes back to the device all the time while the threads run; at the end, all of it.
void release_under_load(AttemptRun& run) {
  run.step("load release", fmt::format("release_cached() beside {} threads", kThreads), [&](Claim& claim) {
    StressOptions options = options_of(run, 32, 4 << 20);
    options.sync_every = 8;
    // Comparing takes several times as long as running.
    options.seconds = std::max(0.05, run.load_seconds() / 12);
    claim.method = fmt::format("the shipped build: {} threads run while another gives idle memory back", kThreads);
    claim.scope = fmt::format("{:.1f} s, synchronised every {} iterations, all sums compared with double precision",
                              options.seconds, options.sync_every);
    Runtime runtime(options.runtime);
    std::vector<StressSlot> slots(options.threads);
    std::uint64_t releases = 0;
    std::uint64_t bytes = 0;
    ThreadFailures failures;
    {
      std::jthread releaser([&](const std::stop_token& stop) {
        failures.guard("release_cached", [&] {
          for (; !stop.stop_requested(); ++releases) {
            bytes += runtime.release_cached();
            std::this_thread::sleep_for(kReleaseEvery);
          }
        });
      });
      const auto duration = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
      claim.failures = run_loops(runtime, options, slots, Clock::now() + duration);
    }
    claim.failures.insert(claim.failures.end(), failures.texts().begin(), failures.texts().end());
    compare(options, slots, claim);
    runtime.release_cached();
    const MemoryStatistics memory = runtime.memory_statistics();
    require_within_limit(memory, claim);
    claim.figures["releases"] = releases;
    claim.figures["bytes_given_back"] = bytes;
    if (memory.reserved != 0) {
      claim.failures.push_back(fmt::format("{} bytes are still reserved, {} of them live, after everything ended",
                                           memory.reserved, memory.live));
    }
  });
}

void load(AttemptRun& run) {
  within_limit(run, 32);
  if (run.options().inject) return;
  within_limit(run, 64);
  if (run.load_seconds() >= kAllSizesSeconds) {
    within_limit(run, 128);
    within_limit(run, 256);
  }
  below_live_set(run);
  release_under_load(run);
}

}  // namespace

const Attempt& attempt_memory() {
  static const Attempt attempt = {
      1,
      "memory pressure",
      {"memory"},
      load,
      {"the checker's scenarios of the allocator's shared parts, on the library's own sources",
       "the shipped build: 8 threads under limits of twice their live set, results compared",
       "the shipped build: allocations below the live set, which must throw OutOfMemory and change nothing",
       "the shipped build: idle memory given back to the device while threads run, results compared"},
      {
          {"a block reused while another stream still uses it",
           "src/heddle/memory/heap.cpp",
           "Heap::collect",
           {"group memory"}},
          {"a foreign use that is noted too late or forgotten",
           "src/heddle/stream/residency.cpp",
           "Residency::settle",
           {"group memory"}},
          {"a block given out twice",
           "src/heddle/memory/heap.cpp",
           "Heap::take_slowly",
           {"group memory", "load limits", "load release"}},
          {"the limit exceeded by two threads at once",
           "src/heddle/memory/budget.cpp",
           "Budget::reserve",
           {"group memory", "load limits", "load release"}},
          {"a failed allocation that changes something",
           "src/heddle/memory/device_memory.cpp",
           "DeviceMemory::try_slowly",
           {"group memory", "load below the live set"}},
          {"a wait for memory that never ends",
           "src/heddle/memory/ladder.cpp",
           "Ladder::wait_and_search",
           {"group memory", "load below the live set"}},
          {"a segment given back while somebody uses it",
           "src/heddle/memory/depot.cpp",
           "Depot::take_segments",
           {"group memory", "load release"}},
          {"a free span lost or counted twice", "src/heddle/memory/span_tree.cpp", "SpanTree::give", {"load release"}},
          {"bytes kept when everything has ended",
           "src/heddle/memory/reclaim.cpp",
           "Reclaim::from_others",
           {"group memory", "load release"}},
      },
      {"pressure callbacks: this version has none",
       "pressure from the system (PSI, cgroup events): no source is read yet",
       "memory of an accelerator: only the CPU device was run"}};
  return attempt;
}

}  // namespace heddle::cli
