#include "random/runner.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "random/program.hpp"

// If a sanitizer is linked in: called before its report ends the process.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*)());

namespace heddle::programs {
namespace {

constexpr int kMostJobs = 64;

// The programs that are running; read by the watchdog, and when the process dies.
struct Running {
  std::atomic<std::int64_t> since_ms{0};  // 0: none
  std::array<char, 256> command{};
};
std::array<Running, kMostJobs> running;

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count() + 1;
}

// Async-signal-safe.
void name_running() {
  for (const Running& entry : running) {
    if (entry.since_ms.load() == 0) continue;
    const char* const before = "random program that ran: ";
    static_cast<void>(!write(2, before, std::strlen(before)));
    static_cast<void>(!write(2, entry.command.data(), std::strlen(entry.command.data())));
    static_cast<void>(!write(2, "\n", 1));
  }
}

void on_crash(int signal) {
  name_running();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void watch_crashes() {
  static const bool once = [] {
    if (__sanitizer_set_death_callback != nullptr) {
      __sanitizer_set_death_callback(name_running);
    } else {
      for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_crash);
    }
    return true;
  }();
  static_cast<void>(once);
}

// Ends the process if a program takes too long.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::seconds most) : most_(most), thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    stop_.notify_all();
    thread_.join();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stopped_; })) {
      for (const Running& entry : running) {
        const std::int64_t since = entry.since_ms.load();
        if (since == 0 || now_ms() - since < std::chrono::milliseconds(most_).count()) continue;
        std::fprintf(stderr, "a random program has run for %lld s, and hangs: %s\n",
                     static_cast<long long>(most_.count()), entry.command.data());
        std::abort();
      }
    }
  }

  const std::chrono::seconds most_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace

std::uint64_t run_programs(const Runs& runs, const std::function<void(const std::string&)>& failed) {
  watch_crashes();
  Watchdog watchdog(runs.most);
  std::atomic<std::uint64_t> next{0}, done{0};
  std::atomic<int> failures{0};
  std::mutex mutex;
  const std::uint64_t programs = runs.count * static_cast<std::uint64_t>(runs.times);
  const auto work = [&](int job) {
    while (failures.load() < runs.failures_most) {
      const std::uint64_t number = next.fetch_add(1);
      if (number >= programs) break;
      const Plan plan = make_plan(runs.base + number / static_cast<std::uint64_t>(runs.times), runs.device, runs.cut);
      Running& entry = running[static_cast<std::size_t>(job)];
      const std::string command = plan.command(100);
      std::snprintf(entry.command.data(), entry.command.size(), "%s", command.c_str());
      entry.since_ms.store(now_ms());
      const std::string wrongs = run_program(plan);
      entry.since_ms.store(0);
      const std::uint64_t count = ++done;
      if (wrongs.empty() && !runs.progress) continue;
      std::lock_guard lock(mutex);
      if (runs.progress) runs.progress(count);
      if (wrongs.empty()) continue;
      ++failures;
      failed(fmt::format("seed {} on {}, program {} of {}:\n{}  again: {}\n", plan.seed, plan.device, count, programs,
                         wrongs, command));
    }
  };
  std::vector<std::thread> threads;
  for (int job = 1; job < std::min(runs.jobs, kMostJobs); ++job) threads.emplace_back(work, job);
  work(0);
  for (std::thread& thread : threads) thread.join();
  return done.load();
}

}  // namespace heddle::programs
