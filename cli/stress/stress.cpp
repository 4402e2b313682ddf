#include "cli/stress/stress.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <thread>

#include "cli/stress/loop.hpp"
#include "cli/stress/thread_failures.hpp"
#include "cli/terminal/option_values.hpp"
#include "cli/terminal/progress.hpp"
#include "cli/verify/sums.hpp"
#include "heddle/runtime/open_device.hpp"

namespace heddle::cli {

double process_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kShownErrors = 5;
// What comparing after a run of --seconds may take, as a part of it.
constexpr double kCheckPart = 0.1;
constexpr double kCheckLeastSeconds = 1;

std::uint64_t count_of(const KernelCounts& counts, KernelId kernel) { return counts[static_cast<std::size_t>(kernel)]; }

// The threads of one run. They meet the caller three times: ready, go, done.
class Crew {
 public:
  Crew(Runtime& runtime, const StressOptions& options, bool own_streams)
      : runtime_(runtime),
        options_(options),
        own_streams_(own_streams),
        slots_(std::make_unique<StressSlot[]>(options.threads)),
        meeting_(static_cast<std::ptrdiff_t>(options.threads) + 1) {}

  // Fills the timed part of `result`. Rethrows what happened before the clock started.
  void run(StressResult& result) {
    start_threads();
    meeting_.arrive_and_wait();  // ready
    if (failures_.first() != nullptr) give_up_ = true;
    const KernelCounts before = runtime_.core().device().executed();
    const double cpu_before = process_cpu_seconds();
    start_ = Clock::now();
    meeting_.arrive_and_wait();  // go
    {
      const Progress progress("running", [this] { return fraction(); });
      meeting_.arrive_and_wait();  // done
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    result.cpu_seconds = process_cpu_seconds() - cpu_before;
    const KernelCounts after = runtime_.core().device().executed();
    for (std::thread& thread : threads_) thread.join();
    if (give_up_ || failures_.out_of_memory()) std::rethrow_exception(failures_.first());
    const auto executed = [&](KernelId kernel) { return count_of(after, kernel) - count_of(before, kernel); };
    result.executed_randn = executed(KernelId::kRandn);
    result.executed_matmul = executed(KernelId::kMatmul);
    result.executed_sum = executed(KernelId::kSum);
    result.total_iterations = done();
    result.errors = failures_.count();
    result.first_errors = failures_.texts();
  }

  std::vector<SumSample> take_samples(StressResult& result, Verification& verified) {
    std::vector<SumSample> samples;
    for (StressSlot& slot : slots()) {
      verified.add(slot.verified);
      samples.insert(samples.end(), slot.samples.begin(), slot.samples.end());
      slot.samples = {};
      result.unchecked_lists += slot.unchecked_lists;
    }
    return samples;
  }

 private:
  std::span<StressSlot> slots() const { return {slots_.get(), options_.threads}; }

  std::uint64_t done() const {
    std::uint64_t total = 0;
    for (const StressSlot& slot : slots()) total += slot.iterations.load(std::memory_order_relaxed);
    return total;
  }

  double fraction() const {
    if (options_.seconds > 0) return std::chrono::duration<double>(Clock::now() - start_).count() / options_.seconds;
    return static_cast<double>(done()) / (static_cast<double>(options_.iterations) * options_.threads);
  }

  void start_threads() {
    threads_.reserve(options_.threads);
    for (std::uint32_t i = 0; i < options_.threads; ++i) {
      const bool started = failures_.guard("", [&] {
        try {
          threads_.emplace_back([this, i] { thread_main(i); });
        } catch (const std::system_error& error) {
          throw Error(ErrorKind::kUnsupported,
                      fmt::format("thread {} of {} could not be started: {}; ask for fewer threads", i + 1,
                                  options_.threads, error.code().message()));
        }
      });
      if (started) continue;
      for (; i < options_.threads; ++i) meeting_.arrive_and_drop();
    }
  }

  // Nothing leaves it: whatever is thrown is noted, and the meetings are kept.
  void thread_main(std::uint32_t index) noexcept {
    std::optional<Lease> lease;  // destroyed last
    std::optional<StressLoop> loop;
    failures_.guard("", [&] {
      if (own_streams_) lease.emplace(runtime_.lease());
      loop.emplace(runtime_, options_, index, slots()[index]);
      loop->warm_up();
    });
    meeting_.arrive_and_wait();  // ready
    meeting_.arrive_and_wait();  // go
    if (!give_up_)
      failures_.guard("", [&] {
        loop->run(start_ +
                  std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.seconds)));
      });
    meeting_.arrive_and_wait();  // done
  }

  Runtime& runtime_;
  const StressOptions& options_;
  const bool own_streams_;
  const std::unique_ptr<StressSlot[]> slots_;
  std::barrier<> meeting_;
  std::vector<std::thread> threads_;
  // Written by the caller between two meetings.
  Clock::time_point start_;
  bool give_up_ = false;
  ThreadFailures failures_{kShownErrors};
};

void require_room_for_one_tensor(Runtime& runtime, std::uint64_t size) {
  const std::uint64_t limit = runtime.memory_statistics().limit;
  const std::uint64_t needed = size * size * sizeof(float);
  if (needed <= limit) return;
  throw InvalidArgument(fmt::format(
      "the memory limit is {} bytes, one {} x {} tensor takes {}; allowed: a --memory-limit of at least that, or a "
      "smaller --size",
      limit, size, size, needed));
}

}  // namespace

StressResult run_stress(const StressOptions& options) {
  Runtime runtime(options.runtime);
  if (options.check != Check::kOff && runtime.device_info().backend == "sim") {
    throw InvalidArgument("device 'sim' computes nothing, so no sum can be checked; allowed with it: --check off");
  }
  require_room_for_one_tensor(runtime, options.size);
  StressResult result;
  result.device = runtime.device_info().backend;
  result.device_name = runtime.device_info().name;
  result.kernels = runtime.device_info().kernels;
  result.shared_streams =
      options.runtime.streams.has_value() || options.threads > *resolve(options.runtime).streams_max;
  result.tolerance = sum_tolerance(options.size);

  Crew crew(runtime, options, !result.shared_streams);
  crew.run(result);
  const std::uint64_t longest =
      options.seconds > 0 ? options.sync_every : std::min(options.sync_every, options.iterations);
  result.warmup_iterations = options.warmup_rounds * longest;
  result.memory = runtime.memory_statistics();

  Verification verification;
  const std::vector<SumSample> samples = crew.take_samples(result, verification);
  auto deadline = Clock::time_point::max();
  if (options.seconds > 0) {  // such a run ends when it says
    const double most = std::max(kCheckLeastSeconds, kCheckPart * options.seconds);
    deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(most));
  }
  verification.add(verify_sums({options.seed, options.size}, samples, deadline));
  result.checked = verification.checked;
  result.unchecked_sums = verification.unchecked;
  result.errors += verification.mismatches;
  result.first_errors.insert(result.first_errors.end(), verification.first.begin(), verification.first.end());

  const std::uint64_t total = result.total_iterations;
  const bool all_ran = options.seconds > 0 || total == options.iterations * options.threads;
  result.pass = result.errors == 0 && all_ran && result.executed_randn == total && result.executed_matmul == total &&
                result.executed_sum == total;
  return result;
}

}  // namespace heddle::cli
