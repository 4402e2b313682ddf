// heddle_random_programs: random programs over the public interface, with every value checked. See --help.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "random/runner.hpp"
#include "random/shrink.hpp"

namespace {

using heddle::programs::Runs;

constexpr const char* kHelp =
    R"(heddle_random_programs [--count N] [--base SEED] [--device cpu|sim|cuda] ...   many programs, one per seed
heddle_random_programs --seed SEED [--times N] ...                              one program, N times
heddle_random_programs --seed SEED --shrink ...                                 a smaller one that still fails

  --count N     seeds (default 1000)
  --base SEED   the first seed; without it a fresh one, which is printed
  --device D    cpu (default), sim, cuda, cuda:N
  --jobs N      programs at a time (default: one per two processors)
  --times N     runs of each program
  --threads N, --steps N, --from N   of each program only the first N threads, the first N steps, the steps from N on
  --tell        each step prints a line to stderr
  --most S      seconds after which a program counts as hanging, and the process ends (default 60)
  --failures N  stop after this many (default 5)
Exit code: 0 if every program was right, 1 if one was wrong, 2 for a wrong command line; hangs and crashes abort.
)";

[[noreturn]] void refuse(const std::string& what) {
  fmt::print(stderr, "{}; see --help\n", what);
  std::exit(2);
}

std::uint64_t number(const std::string& option, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(option + ": '" + text + "' is not a number");
  return value;
}

std::string own_path() {
  std::string path(4096, '\0');
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return path;
}

std::uint64_t fresh_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) % 1'000'000'000'000U;
}

int shrink_one(const Runs& runs) {
  const auto result = heddle::programs::shrink(own_path(), runs.base, runs.device, runs.cut, runs.times,
                                               static_cast<int>(runs.most.count()));
  if (!result.failed) {
    fmt::print("seed {} did not fail in {} runs\n", runs.base, runs.times);
    return 0;
  }
  fmt::print("after {} attempts: {}\n", result.attempts,
             heddle::programs::make_plan(runs.base, runs.device, result.cut).command(runs.times));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Runs runs;
  runs.count = 1000;
  runs.jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency() / 2));
  bool has_base = false;
  bool shrinks = false;
  for (int i = 1; i < argc; ++i) {
    std::string option = argv[i];
    if (option == "--help") return fmt::print("{}", kHelp), 0;
    if (option == "--shrink" || option == "--tell") {
      (option == "--tell" ? runs.cut.tells : shrinks) = true;
      continue;
    }
    std::string value;
    if (const std::size_t equals = option.find('='); equals != std::string::npos) {
      value = option.substr(equals + 1);
      option.resize(equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      refuse(option + " needs a value, or is unknown");
    }
    const auto as_int = [&] { return static_cast<int>(number(option, value)); };
    if (option == "--device")
      runs.device = value;
    else if (option == "--count")
      runs.count = number(option, value);
    else if (option == "--base" || option == "--seed")
      has_base = true, runs.base = number(option, value);
    else if (option == "--times")
      runs.times = as_int();
    else if (option == "--jobs")
      runs.jobs = as_int();
    else if (option == "--threads")
      runs.cut.threads = as_int();
    else if (option == "--steps")
      runs.cut.steps = as_int();
    else if (option == "--from")
      runs.cut.from = as_int();
    else if (option == "--most")
      runs.most = std::chrono::seconds(as_int());
    else if (option == "--failures")
      runs.failures_most = as_int();
    else
      refuse(option + " is unknown");
    if (option == "--seed") runs.count = 1;
  }
  if (!has_base) runs.base = fresh_seed();
  if (shrinks) return shrink_one(runs);
  fmt::print("{} random programs on {}, {} at a time, seeds {} to {}\n", runs.count * static_cast<unsigned>(runs.times),
             runs.device, runs.jobs, runs.base, runs.base + runs.count - 1);
  std::fflush(stdout);
  if (isatty(2) != 0) {
    runs.progress = [](std::uint64_t done) {
      if (done % 50 == 0) fmt::print(stderr, "\r{} ", done);
    };
  }
  const auto start = std::chrono::steady_clock::now();
  int failures = 0;
  std::uint64_t done = 0;
  try {
    done = run_programs(runs, [&](const std::string& failure) {
      ++failures;
      fmt::print("{}", failure);
      std::fflush(stdout);
    });
  } catch (const std::exception& error) {
    refuse(error.what());
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{} programs in {:.1f} s, {} wrong\n", done, seconds, failures);
  return failures == 0 ? 0 : 1;
}
