// environment_subject CONDITION...: a small service under poor conditions. Prints one line like injection_subject.
//
//   threads=N rounds=N size=N workers=N   the work: threads that check every sum, 4, 6, 64, 2
//   refuse-exec=NAMES:ERRNO               system calls that fail from before this program starts; the first condition
//   refuse=NAMES:ERRNO                    the same, before the runtime opens
//   refuse-after=NAMES:ERRNO              in the thread that opened, after the opening; refuse-after-all=: in all
//   no-writable-code                      writable memory is never executable
//   maps=N maps-after=N maps-full=N       at most N more mappings can be made: from before the opening, after it, or
//                                         when there is memory to give back
//   stack=BYTES                           for the program's own threads and those of the library
//   fill                                  takes device memory until OutOfMemory, and touches all of it
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "environment/conditions.hpp"
#include "heddle/heddle.hpp"
#include "injection/books.hpp"

namespace environment {
namespace {

using injection::expect;
using injection::guarded;
using injection::Promise;

struct Settings {
  std::uint64_t threads = 4, rounds = 6, size = 64, workers = 2;
  std::string refuse, refuse_after, refuse_after_all;
  std::optional<std::uint64_t> maps, maps_after, maps_full, stack;
  bool no_writable_code = false, fill = false;
};

[[noreturn]] void usage(std::string_view argument) {
  std::fprintf(stderr, "environment_subject does not know '%.*s'\n", static_cast<int>(argument.size()),
               argument.data());
  std::exit(125);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) usage(text);
  return value;
}

void take(std::string_view argument, Settings& settings) {
  const std::size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view() : argument.substr(equals + 1);
  if (name == "threads")
    settings.threads = number(value);
  else if (name == "rounds")
    settings.rounds = number(value);
  else if (name == "size")
    settings.size = number(value);
  else if (name == "workers")
    settings.workers = number(value);
  else if (name == "refuse")
    settings.refuse = value;
  else if (name == "refuse-after")
    settings.refuse_after = value;
  else if (name == "refuse-after-all")
    settings.refuse_after_all = value;
  else if (name == "maps")
    settings.maps = number(value);
  else if (name == "maps-after")
    settings.maps_after = number(value);
  else if (name == "maps-full")
    settings.maps_full = number(value);
  else if (name == "stack")
    settings.stack = number(value);
  else if (name == "no-writable-code")
    settings.no_writable_code = true;
  else if (name == "fill")
    settings.fill = true;
  else
    usage(argument);
}

void refuse(const std::string& what, bool all_threads) {
  if (what.empty()) return;
  const std::size_t colon = what.find(':');
  const std::string error = colon == std::string::npos ? "EPERM" : what.substr(colon + 1);
  refuse_calls(what.substr(0, colon).c_str(), error == "ENOSYS" ? ENOSYS : EPERM, all_threads);
}

void take_mappings_or_skip(const std::optional<std::uint64_t>& left) {
  if (!left || take_mappings(*left)) return;
  std::printf("skipped: the number of mappings that this machine allows is unknown or too large\n");
  std::fflush(stdout);
  std::_Exit(77);
}

// The work of one thread: products whose sums are exact.
void work(heddle::Runtime& runtime, const Settings& settings, std::uint64_t index) {
  const auto n = static_cast<std::int64_t>(settings.size);
  for (std::uint64_t round = 0; round < settings.rounds; ++round) {
    const auto a = static_cast<float>((index + round) % 7 + 1);
    const heddle::Tensor x = full(runtime, {n, n}, a);
    const heddle::Tensor total = sum(matmul(x, full(runtime, {n, n}, 1.0f)));
    if (round % 3 == 0) {
      Promise& promise = Promise::take();
      runtime.on_complete([&promise](const heddle::Status&) { promise.call(); });
      promise.accepted();
    }
    expect(total.item() == a * static_cast<float>(n * n * n), "a sum of a product");
  }
}

void run_threads(heddle::Runtime& runtime, const Settings& settings) {
  std::vector<std::thread> threads;
  guarded("threads", [&] {
    threads.reserve(settings.threads);
    for (std::uint64_t i = 0; i < settings.threads; ++i) {
      threads.emplace_back([&, i] { guarded("thread", [&] { work(runtime, settings, i); }); });
    }
  });
  for (std::thread& thread : threads) thread.join();
}

// Tensors that live while others are returned to the system.
void give_memory_back(heddle::Runtime& runtime, const Settings& settings) {
  std::vector<heddle::Tensor> kept;
  constexpr std::int64_t kMost = 1 << 20;
  for (int i = 1; i <= 16; ++i) kept.push_back(full(runtime, {kMost / i}, static_cast<float>(i)));
  runtime.synchronize();
  take_mappings_or_skip(settings.maps_full);
  for (std::size_t i = 0; i < kept.size(); i += 2) kept[i] = {};
  runtime.release_cached();
  for (const heddle::Tensor& tensor : kept) {
    if (!tensor.defined()) continue;
    const std::vector<float> values = tensor.to_host();
    for (const float value : values) expect(value == values[0], "a tensor beside memory that was given back");
  }
}

// Takes all memory that the device reports: the end must be OutOfMemory, not the kernel's OOM killer.
void fill_memory(heddle::Runtime& runtime) {
  std::vector<heddle::Tensor> kept;
  constexpr std::int64_t kEach = 4 << 20;
  constexpr std::size_t kMost = 64;  // GiB: more than the limits of these runs
  try {
    while (kept.size() < kMost * 64) {
      kept.push_back(full(runtime, {kEach}, 1.0f));
      runtime.synchronize();
    }
    injection::note_wrong("the device's memory never runs out");
  } catch (const heddle::OutOfMemory&) {
    expect(!kept.empty(), "not even one tensor fits");
  }
}

void use_runtime(const Settings& settings) {
  heddle::Options options;
  options.cpu_workers = static_cast<unsigned>(settings.workers);
  heddle::Runtime runtime(options);
  refuse(settings.refuse_after, false);
  refuse(settings.refuse_after_all, true);
  take_mappings_or_skip(settings.maps_after);
  guarded("memory", [&] { settings.fill ? fill_memory(runtime) : give_memory_back(runtime, settings); });
  run_threads(runtime, settings);
  const heddle::ShutdownReport report = runtime.shutdown();
  expect(report.complete && report.handlers_pending == 0, "a shutdown that is not complete");
}

int run(const Settings& settings) {
  if (settings.stack) set_stack_size(*settings.stack);
  refuse(settings.refuse, false);
  if (settings.no_writable_code) refuse_writable_code();
  const injection::Footprint before = injection::footprint();
  take_mappings_or_skip(settings.maps);
  guarded("runtime", [&] { use_runtime(settings); });
  const bool full_of_mappings =
      settings.maps || settings.maps_after || settings.maps_full;  // possibly without a mapping left to unmap the range
  injection::expect_back(before, full_of_mappings ? 1 : 0);
  Promise::check_all("handlers");
  return injection::conclude();
}

}  // namespace
}  // namespace environment

int main(int count, char** arguments) {
  constexpr std::string_view kBeforeStart = "refuse-exec=";
  if (count > 1 && std::string_view(arguments[1]).starts_with(kBeforeStart)) {
    environment::refuse(arguments[1] + kBeforeStart.size(), false);
    arguments[1] = arguments[0];
    execv("/proc/self/exe", arguments + 1);
    std::perror("exec");
    return 125;
  }
  environment::Settings settings;
  for (int i = 1; i < count; ++i) environment::take(arguments[i], settings);
  return environment::run(settings);
}
