// heddle stress: threads that run randn, matmul and sum on their own streams, compared with a reference.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "cli/stress/family.hpp"
#include "cli/stress/report.hpp"
#include "cli/stress/stress.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/option_values.hpp"
#include "heddle/base/environment.hpp"

namespace heddle::cli {
namespace {

constexpr std::uint32_t kWarmupRounds = 2;  // of --seconds
// Beyond this size one entry off by 1 is less than the tolerance (2e-5 * N^1.5) leaves to see.
constexpr std::uint64_t kElementSizeMax = 1024;

// What was typed.
using Text = std::optional<std::string>;

struct Typed {
  Text device, threads, iterations, sync_every, size, streams, seed, seconds, memory_limit, repeat;
  std::string check = "sampled", inject = "none";
  bool family = false, json = false;
};

template <class Count>
void read_count(Count& value, std::string_view name, const Text& text, std::uint64_t low, std::uint64_t high) {
  if (text) value = static_cast<Count>(parse_count(name, *text, low, high));
}

StressOptions read(const Typed& typed) {
  StressOptions options;
  if (typed.device) options.runtime.device = typed.device;
  read_count(options.threads, "--threads", typed.threads, 1, 1024);
  read_count(options.iterations, "--iterations", typed.iterations, 1, 100'000'000);
  read_count(options.sync_every, "--sync-every", typed.sync_every, 1, 1'000'000);
  read_count(options.size, "--size", typed.size, 1, 16384);
  read_count(options.seed, "--seed", typed.seed, 0, std::numeric_limits<std::uint64_t>::max());
  if (typed.streams) {
    const auto streams = static_cast<std::uint32_t>(parse_count("--streams", *typed.streams, 1, 1024));
    options.runtime.streams = streams;
    options.runtime.streams_max = streams;
  }
  if (typed.memory_limit) options.runtime.memory_limit = parse_bytes("--memory-limit", *typed.memory_limit);
  if (typed.seconds) {
    options.seconds = parse_seconds("--seconds", *typed.seconds, 0.1, 86400);
    options.warmup_rounds = kWarmupRounds;
  }
  options.check = parse_word<Check>("--check", typed.check,
                                    {{"sampled", Check::kSampled}, {"full", Check::kFull}, {"off", Check::kOff}});
  options.check_as_it_goes = options.seconds > 0 && options.check == Check::kFull;
  options.inject = parse_word<Inject>("--inject", typed.inject,
                                      {{"none", Inject::kNone},
                                       {"stale", Inject::kStale},
                                       {"swap", Inject::kSwap},
                                       {"element", Inject::kElement},
                                       {"row", Inject::kRow}});
  if (options.inject != Inject::kNone && options.check == Check::kOff) {
    throw InvalidArgument("--inject with --check off finds nothing; allowed with it: --check sampled, full");
  }
  if (options.inject == Inject::kElement && options.size > kElementSizeMax) {
    throw InvalidArgument(
        fmt::format("--inject element at size {}: one entry is lost in the tolerance; allowed: --size 1 to {}",
                    options.size, kElementSizeMax));
  }
  return options;
}

int run_once(const StressOptions& options, bool json) {
  const StressResult result = run_stress(options);
  if (json) {
    fmt::print("{}\n", json_text(stress_json(options, result), 2));
  } else {
    fmt::print("{}", stress_text(options, result));
  }
  return result.pass ? kExitPass : kExitFail;
}

int run_typed(const Typed& typed) {
  const StressOptions options = read(typed);
  std::uint64_t repeat = 1;
  read_count(repeat, "--repeat", typed.repeat, 1, 1000);
  if (typed.family) return run_family(options, repeat, typed.json);
  return run_once(options, typed.json);
}

}  // namespace

void add_stress(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("stress", "Run randn, matmul and sum on many threads and compare the sums");
  const auto typed = std::make_shared<Typed>();
  const auto add = [command](const char* name, auto& value, const char* text) {
    return command->add_option(name, value, text)->type_name("");
  };
  CLI::Option* family = command->add_flag("--family", typed->family,
                                          "8, 16, 20, 32, 48, 64, 80 threads, synchronising every iterations/10");
  add("--device", typed->device,
      "cpu (default), cuda, cuda:N, or HEDDLE_DEVICE; sim computes nothing: only with --check off");
  add("--threads", typed->threads, "1 to 1024 (32)")->excludes(family);
  add("--iterations", typed->iterations, "Of each thread, 1 to 100000000 (400)");
  add("--sync-every", typed->sync_every, "Iterations between synchronizations, 1 to 1000000 (40)")->excludes(family);
  add("--size", typed->size, "N of the N x N matrices, 1 to 16384 (256)");
  add("--streams", typed->streams, "Streams that the threads share, 1 to 1024 (one a thread)");
  add("--check", typed->check,
      "sampled (one sum a list and thread), full, off (sampled). With --seconds, full compares as the run goes, within "
      "its "
      "time; sampled compares for at most a tenth of it afterwards");
  add("--inject", typed->inject, "Plant a fault, which must FAIL: none, stale, swap, element, row (none)");
  add("--seed", typed->seed, "Of the random numbers (0)");
  add("--seconds", typed->seconds, "Run this long after a warm-up of two lists, 0.1 to 86400, instead of --iterations")
      ->excludes(family);
  add("--memory-limit", typed->memory_limit, "Bytes of device memory, with K, M, G or T (the device's memory)");
  add("--repeat", typed->repeat, "With --family: how often, 1 to 1000 (1)")->needs(family);
  command->add_flag("--json", typed->json, "One JSON object (with --family an array)");
  command->callback([typed, &run] { run = [typed] { return run_typed(*typed); }; });
}

}  // namespace heddle::cli
