// A storm of signals while threads compute.
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>

#include "process/scenario.hpp"

namespace heddle::test {
namespace {

constexpr int kSignals = 2000;
std::atomic<int> handled{0};
std::atomic<int> handled_by_library{0};

void on_signal(int) {
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  (std::strncmp(name, "heddle-", 7) == 0 ? handled_by_library : handled).fetch_add(1);
}

// The ids of all threads of the process, including the library's.
std::vector<pid_t> all_threads() {
  std::vector<pid_t> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    threads.push_back(std::stoi(entry.path().filename().string()));
  }
  return threads;
}

int signal_storm(Random& random) {
  struct sigaction action{};
  action.sa_handler = on_signal;  // without SA_RESTART: every system call may be interrupted
  sigaction(SIGUSR1, &action, nullptr);
  {
    Runtime runtime;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] { record_until_closed(runtime, static_cast<std::uint64_t>(i), &stop); });
    }
    random.pause(5'000);
    const std::vector<pid_t> targets = all_threads();
    expect(targets.size() >= 10, "the library's threads are among the targets");
    for (int sent = 0; sent < kSignals; ++sent) {
      if (random.chance()) {
        kill(getpid(), SIGUSR1);
      } else {
        const auto index = static_cast<std::size_t>(random.between(0, static_cast<int>(targets.size()) - 1));
        syscall(SYS_tgkill, getpid(), targets[index], SIGUSR1);
      }
      if (sent % 100 == 0) random.pause(2'000);
    }
    stop.store(true);
    for (std::thread& thread : threads) thread.join();
    const ShutdownReport report = runtime.shutdown();
    expect(report.complete && report.failed == 0, "the shutdown is complete: " + report.text());
    expect(handlers_called() == report.handlers_run, "each completion handler ran once");
  }
  expect(handled.load() > 0, "the program's own threads took signals");
  expect(handled_by_library.load() == 0, "a thread of the library ran the program's signal handler");
  return 0;
}

constexpr Scenario kScenarios[] = {{"signal_storm", 0, signal_storm}};

}  // namespace

std::span<const Scenario> signal_scenarios() { return kScenarios; }

}  // namespace heddle::test
