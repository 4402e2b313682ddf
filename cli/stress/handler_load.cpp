#include "cli/stress/handler_load.hpp"

#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include "cli/stress/parallel.hpp"
#include "cli/stress/thread_failures.hpp"
#include "cli/verify/sums.hpp"

namespace heddle::cli {
namespace {

constexpr std::uint64_t kSize = 16;      // N of the matrices
constexpr std::uint64_t kReadEvery = 8;  // iterations between the sums that are read
constexpr unsigned kLoseOneOf = 8;       // tasks that the executor drops
constexpr std::uint64_t kLeastRegistrations = 200;
constexpr std::uint64_t kMostRegistrations = 4000;
constexpr std::chrono::seconds kReachMost{60};

// What one handler was told.
struct Slip {
  std::atomic<unsigned> run{0};
  std::atomic<unsigned> abandoned{0};
  std::atomic<bool> refused{false};
};

// The user's own thread, with a queue. It destroys some tasks instead of running them. Thread safety: all members.
class LossyExecutor final : public Executor {
 public:
  LossyExecutor() : thread_([this] { work(); }) {}
  ~LossyExecutor() override { stop(); }

  void execute(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      if (++taken_ % kLoseOneOf != 0) tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }  // a task that was not queued is destroyed here
  // Runs what is queued, then ends the thread.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      {
        const std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
      }
      lock.lock();
    }
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  unsigned taken_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: starts when the rest is there
};

class HandlerLoad {
 public:
  explicit HandlerLoad(const HandlerLoadOptions& options) : options_(options), random_(options.seed) {}

  HandlerLoadResult run() {
    std::jthread threads([&] {
      failures_.guard("the threads", [&] {
        errors_ = in_threads(options_.threads, [&](unsigned thread) { work(runtime_, thread); });
      });
      all_ended_ = true;
    });
    wait_for_registrations();
    const auto begin = std::chrono::steady_clock::now();
    const ShutdownReport report = runtime_.shutdown();
    result_.shutdown_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    threads.join();
    executor_->stop();
    const HandlerStatistics statistics = runtime_.handler_statistics();
    result_.failures.insert(result_.failures.end(), errors_.begin(), errors_.end());
    result_.failures.insert(result_.failures.end(), failures_.texts().begin(), failures_.texts().end());
    count(report, statistics);
    compare_sums();
    return result_;
  }

 private:
  void wait_for_registrations() {
    const std::uint64_t wanted =
        std::uniform_int_distribution<std::uint64_t>(kLeastRegistrations, kMostRegistrations)(random_);
    const auto deadline = std::chrono::steady_clock::now() + kReachMost;
    while (registrations_ < wanted && !all_ended_) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      if (std::chrono::steady_clock::now() < deadline) continue;
      result_.failures.push_back(fmt::format("{} of {} handlers were registered within {} s", registrations_.load(),
                                             wanted, kReachMost.count()));
      return;
    }
  }

  Slip& new_slip() {
    const std::lock_guard lock(mutex_);
    return slips_.emplace_back();
  }

  // What every handler does first.
  void note(Slip& slip, const Status& status) {
    if (options_.lose_one && !lost_.exchange(true)) return;
    ++(status.kind() == ErrorKind::kAbandoned ? slip.abandoned : slip.run);
  }

  // Registers a handler that notes on a new slip and then does `more`. False: the runtime refuses.
  bool add(Runtime& runtime, const std::function<void()>& more, HandlerOptions options = {}) {
    Slip& slip = new_slip();
    try {
      runtime.on_complete(
          [this, &slip, more](const Status& status) {
            note(slip, status);
            if (more) more();
          },
          std::move(options));
      ++registrations_;
      return true;
    } catch (const Error& error) {
      slip.refused = true;
      // Closed: it shuts down. WouldBlock, PoolExhausted: inside a handler, where it may not wait for room.
      const ErrorKind kind = error.kind();
      if (kind != ErrorKind::kClosed && kind != ErrorKind::kWouldBlock && kind != ErrorKind::kPoolExhausted) throw;
      return false;
    }
  }

  bool add_any(Runtime& runtime, unsigned kind) {
    switch (kind % 4) {
      case 0: return add(runtime, {});
      case 1:
        return add(runtime, [this] {
          ++threw_;
          throw std::runtime_error("thrown on purpose");
        });
      case 2: return add(runtime, [this, &runtime] { reenter(runtime); });
      default: return add(runtime, {}, {.name = "executor", .executor = executor_});
    }
  }

  // What a handler may do: allocate, record, commit, register.
  void reenter(Runtime& runtime) {
    try {
      const Tensor x = full(runtime, {8}, 1.0F);
      add(runtime, {});
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): as in add(); the slip of a refused handler says so
    }
  }

  void work(Runtime& runtime, unsigned thread) {
    std::vector<SumSample> samples;
    std::minstd_rand random(static_cast<unsigned>(options_.seed * 64 + thread + 1));
    try {
      Generator generator(runtime, options_.seed, thread);
      for (std::uint64_t i = 0;; ++i) {
        const Tensor x = randn(generator, {kSize, kSize});
        const Tensor total = sum(matmul(x, x));
        if (!add_any(runtime, random())) break;
        if (i % kReadEvery == 0) samples.push_back({i, thread, total.item()});
      }
    } catch (const Closed&) {  // NOLINT(bugprone-empty-catch): as it must be
    }
    const std::lock_guard lock(mutex_);
    samples_.insert(samples_.end(), samples.begin(), samples.end());
  }

  void require(bool holds, const std::string& text) {
    if (!holds) result_.failures.push_back(text);
  }

  void count(const ShutdownReport& report, const HandlerStatistics& statistics) {
    std::uint64_t wrong = 0;
    const std::lock_guard lock(mutex_);  // where the shutdown was not complete, handlers may still be told
    for (const Slip& slip : slips_) {
      if (slip.refused) {
        ++result_.refused;
        wrong += slip.run + slip.abandoned == 0 ? 0 : 1;
        continue;
      }
      ++result_.registered;
      result_.run += slip.run;
      result_.abandoned += slip.abandoned;
      wrong += slip.run + slip.abandoned == 1 ? 0 : 1;
    }
    result_.threw = threw_;
    require(wrong == 0, fmt::format("{} handlers were not told exactly once", wrong));
    require(report.complete, "the shutdown did not complete: " + report.text());
    require(statistics.registered == statistics.run + statistics.abandoned && statistics.pending == 0,
            fmt::format("the runtime counts {} registered, {} run, {} abandoned, {} pending", statistics.registered,
                        statistics.run, statistics.abandoned, statistics.pending));
    require(statistics.registered == result_.registered && statistics.run == result_.run,
            fmt::format("the runtime counts {} registered and {} run, the handlers {} and {}", statistics.registered,
                        statistics.run, result_.registered, result_.run));
    require(statistics.failed == threw_, fmt::format("the runtime counts {} handlers that threw, the handlers {}",
                                                     statistics.failed, threw_.load()));
  }

  void compare_sums() {
    const Verification verification = verify_sums({options_.seed, kSize}, samples_);
    result_.sums_checked = verification.checked;
    for (const std::string& text : verification.first) result_.failures.push_back(text);
  }

  const HandlerLoadOptions options_;
  Runtime runtime_{options_.runtime};  // here: a handler that is told late may record on it
  std::minstd_rand random_;
  const std::shared_ptr<LossyExecutor> executor_ = std::make_shared<LossyExecutor>();
  std::atomic<std::uint64_t> registrations_{0};
  std::atomic<std::uint64_t> threw_{0};
  std::atomic<bool> all_ended_{false};
  std::atomic<bool> lost_{false};
  std::mutex mutex_;  // guards what follows while the threads run
  std::deque<Slip> slips_;
  std::vector<SumSample> samples_;
  std::vector<std::string> errors_;  // what the threads threw; written before all_ended_
  ThreadFailures failures_;          // what starting them threw
  HandlerLoadResult result_;
};

}  // namespace

HandlerLoadResult run_handler_load(const HandlerLoadOptions& options) {
  auto load = std::make_unique<HandlerLoad>(options);
  HandlerLoadResult result = load->run();
  // A handler that was not told may be told later, and notes then on what must still be there.
  static auto* const kept = new std::vector<std::unique_ptr<HandlerLoad>>;
  if (!result.failures.empty()) kept->push_back(std::move(load));
  return result;
}

}  // namespace heddle::cli
