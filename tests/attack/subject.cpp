// attack_subject MODE N: uses heddle while others disturb the process, or in great numbers. Prints one line as
// injection_subject does.
//
//   serve SECONDS      4 threads that check sums and handlers until time is up; then a shutdown
//   storm SECONDS      the same under timers and signals of its own, with and without SA_RESTART
//   runtimes N         one after the other; memory, threads and files must not grow
//   threads N          one recording each, in one runtime
//   at-once N          open at the same time, with 8 threads over all of them
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "injection/books.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using heddle::Runtime;
using injection::expect;
using injection::guarded;

std::atomic<std::uint64_t> registered{0};
std::atomic<std::uint64_t> called{0};

heddle::Options small_options() {
  heddle::Options options;
  options.cpu_workers = 1;
  return options;
}

void check_sum(Runtime& runtime, std::int64_t n, int factor) {
  const auto a = static_cast<float>(factor % 7 + 1);
  const float total = sum(matmul(full(runtime, {n, n}, a), full(runtime, {n, n}, 1.0f))).item();
  expect(total == a * static_cast<float>(n * n * n), "a sum of a product");
}

// Until `stop`: sums, and a handler now and then.
void serve_thread(Runtime& runtime, int index, const std::atomic<bool>& stop) {
  for (int i = index; !stop.load(); ++i) {
    check_sum(runtime, 16, i);
    if (i % 8 != 0) continue;
    runtime.on_complete([](const heddle::Status&) { called.fetch_add(1); });
    registered.fetch_add(1);
  }
}

// Runs `disturb(threads)` beside four serving threads.
template <class Disturb>
void serve(const Disturb& disturb) {
  Runtime runtime(small_options());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { guarded("thread", [&] { serve_thread(runtime, i, stop); }); });
  }
  disturb(threads);
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  const heddle::ShutdownReport report = runtime.shutdown();
  expect(report.complete && report.handlers_pending == 0, "a shutdown that is not complete");
  expect(called.load() == registered.load(), "each handler is called once");
}

void set_timer(int which, long interval_us) {
  const itimerval every{{0, interval_us}, {0, interval_us}};
  setitimer(static_cast<__itimer_which_t>(which), &every, nullptr);
}

std::atomic<std::uint64_t> signals{0};

void storm(std::vector<std::thread>& threads, long seconds) {
  struct sigaction action{};
  action.sa_handler = [](int) { signals.fetch_add(1); };
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  for (int round = 0; Clock::now() < end; ++round) {
    action.sa_flags = round / 200 % 2 == 0 ? SA_RESTART : 0;
    for (const int number : {SIGPROF, SIGALRM, SIGUSR1, SIGUSR2, SIGCHLD}) sigaction(number, &action, nullptr);
    if (round == 0) {
      set_timer(ITIMER_PROF, 1000);
      set_timer(ITIMER_REAL, 1000);
    }
    for (std::thread& thread : threads) pthread_kill(thread.native_handle(), round % 2 == 0 ? SIGUSR1 : SIGUSR2);
    if (round % 20 == 0) {
      const pid_t child = fork();
      if (child == 0) _exit(0);
      while (child > 0 && waitpid(child, nullptr, 0) < 0) {
      }
    }
    usleep(1000);
  }
  set_timer(ITIMER_PROF, 0);
  set_timer(ITIMER_REAL, 0);
  expect(signals.load() > static_cast<std::uint64_t>(seconds) * 100, "there was no storm");
}

long open_files() {
  long files = 0;
  for (int file = 0; file < 1024; ++file) files += fcntl(file, F_GETFD) >= 0 ? 1 : 0;
  return files;
}

void many_runtimes(long count) {
  std::size_t early = 0;
  const long files = open_files();
  for (long i = 0; i < count; ++i) {
    {
      Runtime runtime(small_options());
      check_sum(runtime, 8, static_cast<int>(i));
    }
    if (i == count / 10) early = mallinfo2().uordblks;
  }
  const std::size_t late = mallinfo2().uordblks;
  constexpr std::size_t kMostGrowth = 16384;
  char text[120];
  std::snprintf(text, sizeof text, "host memory grew by %zd bytes over %ld runtimes",
                static_cast<ssize_t>(late - early), count - count / 10);
  expect(late < early + kMostGrowth, text);
  expect(open_files() == files, "files are left open");
}

void many_threads(long count) {
  Runtime runtime(small_options());
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (long i = 0; i < count; ++i) {
    threads.emplace_back([&runtime, i] { guarded("thread", [&] { check_sum(runtime, 8, static_cast<int>(i)); }); });
  }
  for (std::thread& thread : threads) thread.join();
}

void many_at_once(long count) {
  std::vector<std::unique_ptr<Runtime>> runtimes;
  for (long i = 0; i < count; ++i) runtimes.push_back(std::make_unique<Runtime>(small_options()));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&runtimes, thread] {
      guarded("thread", [&] {
        for (const auto& runtime : runtimes) check_sum(*runtime, 8, thread);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void run(std::string_view mode, long number) {
  if (mode == "serve") {
    serve([&](auto&) { std::this_thread::sleep_for(std::chrono::seconds(number)); });
  } else if (mode == "storm") {
    serve([&](auto& threads) { storm(threads, number); });
  } else if (mode == "runtimes") {
    many_runtimes(number);
  } else if (mode == "threads") {
    many_threads(number);
  } else if (mode == "at-once") {
    many_at_once(number);
  } else {
    injection::note_error("mode", "unknown");
  }
}

}  // namespace

int main(int count, char** arguments) {
  const injection::Footprint before = injection::footprint();
  guarded("main", [&] { run(count > 1 ? arguments[1] : "", count > 2 ? std::atol(arguments[2]) : 1); });
  injection::expect_back(before, 0);
  return injection::conclude();
}
