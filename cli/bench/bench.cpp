// heddle bench: the list of benchmarks, and how their figures are shown.
#include "cli/bench/bench.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/option_values.hpp"
#include "cli/terminal/progress.hpp"
#include "cli/terminal/table.hpp"
#include "heddle/base/environment.hpp"

namespace heddle::cli {
namespace {

struct Bench {
  const char* name;
  const char* about;
  BenchRows (*measure)(const BenchOptions&);
};

constexpr std::array<Bench, 7> kBenches = {{
    {"record", "recording one operation, allocation included, the device's work not", bench_record},
    {"submit", "commit and wait for a list of 1, 12 and 120 tiny fills", bench_submit},
    {"sync-pattern", "the stress loop, synchronising every 1, 2, 4 ... 256 iterations (32 threads, N = 64)",
     bench_sync_pattern},
    {"scaling", "the stress loop at 1, 2, 4, 8, 32 threads (N = 64, 256, on a GPU 1024)", bench_scaling},
    {"ceiling", "the same kernels called by hand, without runtime, beside the stress loop (32 threads)", bench_ceiling},
    {"notice", "completion handlers: rate, latency, and the processor time of an idle runtime", bench_notice},
    {"alloc", "a buffer handle created and dropped, beside glibc, mimalloc, jemalloc, tcmalloc (--pattern, --threads)",
     bench_alloc},
}};

std::string bench_names() {
  std::string names;
  for (const Bench& bench : kBenches) names += fmt::format("{}{}", names.empty() ? "" : ", ", bench.name);
  return names;
}

const Bench& find(const std::string& name) {
  for (const Bench& bench : kBenches) {
    if (name == bench.name) return bench;
  }
  throw InvalidArgument(fmt::format("bench '{}' is unknown; allowed: {}", name, bench_names()));
}

using Names = std::span<const std::string_view>;
constexpr std::array<std::string_view, 8> kPatterns = {"same",   "mix",     "remote", "xmalloc",
                                                       "larson", "mstress", "random", "soak"};
constexpr std::array<std::string_view, 3> kAllocators = {"all", "heddle", "malloc"};

std::string one_of(Names names) {
  std::string text;
  for (const std::string_view name : names) text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  return text;
}

std::string choose(const char* option, const std::string& given, Names names) {
  if (std::find(names.begin(), names.end(), given) != names.end()) return given;
  throw InvalidArgument(fmt::format("{} is '{}'; allowed: {}", option, given, one_of(names)));
}

// Enough digits to compare by, no more.
std::string figure(double value) { return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value); }

int list_benches(bool json) {
  Json names = Json::array();
  std::string text;
  for (const Bench& bench : kBenches) {
    names.push_back({{"bench", bench.name}, {"about", bench.about}});
    text += field_line(bench.name, bench.about);
  }
  fmt::print("{}", json ? json_text(names, 2) + "\n" : text);
  return kExitPass;
}

std::string device_name(const BenchOptions& options) {
  const Runtime runtime(options.runtime);
  return fmt::format("{}: {}", runtime.device_info().backend, runtime.device_info().name);
}

int run_bench(const Bench& bench, const BenchOptions& options, bool json) {
  BenchRows rows;
  {
    const Progress progress(fmt::format("bench {}", bench.name), [&options] { return options.done->load(); });
    rows = bench.measure(options);
  }
  const std::size_t runs = rows.empty() ? 0 : rows.front().values.size();  // some make their own number
  Table table({"case", "median", "least", "greatest", "unit"});
  Json cases = Json::array();
  for (const BenchRow& row : rows) {
    const auto [least, greatest] = std::minmax_element(row.values.begin(), row.values.end());
    table.add({row.name, figure(median(row.values)), figure(*least), figure(*greatest), row.unit});
    cases.push_back(
        {{"case", row.name}, {"unit", row.unit}, {"median", median(row.values)}, {"min", *least}, {"max", *greatest}});
  }
  if (json) {
    const Json result = {{"bench", bench.name},
                         {"about", bench.about},
                         {"runs", runs},
                         {"seconds", options.seconds},
                         {"device", device_name(options)},
                         {"build_id", build_id()},
                         {"rows", cases}};
    fmt::print("{}\n", json_text(result, 2));
  } else {
    fmt::print("heddle bench {}, build {}: {}\n{}; {} of {} s a case, cases interleaved\n{}", bench.name, build_id(),
               bench.about, device_name(options), runs == 1 ? "1 run" : fmt::format("{} runs", runs), options.seconds,
               table.text());
  }
  return kExitPass;
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double stress_rate(const BenchOptions& options, std::uint32_t threads, std::uint64_t size, std::uint64_t sync_every) {
  StressOptions stress;
  stress.runtime = options.runtime;
  stress.threads = threads;
  stress.size = size;
  stress.sync_every = sync_every;
  stress.check = Check::kOff;
  stress.seconds = options.seconds;
  stress.warmup_rounds = 2;
  const StressResult result = run_stress(stress);
  if (!result.pass) {
    throw std::runtime_error(result.first_errors.empty() ? "the stress loop did not execute what was asked for"
                                                         : result.first_errors.front());
  }
  return result.iterations_per_second();
}

void add_bench(CLI::App& app, Run& run) {
  struct Typed {
    std::string name;
    std::optional<std::string> runs, seconds, device, threads, pattern, allocator;
    bool json = false;
  };
  CLI::App* command = app.add_subcommand("bench", "Measure one part; without a name: list what there is");
  const auto typed = std::make_shared<Typed>();
  command->add_option("name", typed->name, bench_names())->type_name("");
  command->add_option("--runs", typed->runs, "1 to 100 (5)")->type_name("");
  command->add_option("--seconds", typed->seconds, "Of one measurement, 0.01 to 3600 (2)")->type_name("");
  command->add_option("--device", typed->device, "cpu (default), cuda, or HEDDLE_DEVICE")->type_name("");
  command->add_option("--threads", typed->threads, "Of alloc, 1 to 512 (1)")->type_name("");
  command->add_option("--pattern", typed->pattern, "Of alloc: " + one_of(kPatterns) + " (same)")->type_name("");
  command->add_option("--allocator", typed->allocator, "Of alloc: " + one_of(kAllocators) + " (all)")->type_name("");
  command->add_flag("--json", typed->json, "One JSON object");
  command->callback([typed, &run] {
    run = [typed] {
      BenchOptions options;
      options.runtime.device = typed->device;
      const bool alloc_only = typed->threads || typed->pattern || typed->allocator;
      if (alloc_only && typed->name != "alloc") {
        throw InvalidArgument("--threads, --pattern and --allocator are for: heddle bench alloc");
      }
      if (typed->threads)
        options.threads = static_cast<std::uint32_t>(parse_count("--threads", *typed->threads, 1, 512));
      if (typed->pattern) options.pattern = choose("--pattern", *typed->pattern, kPatterns);
      if (typed->allocator) options.allocator = choose("--allocator", *typed->allocator, kAllocators);
      if (typed->runs) options.runs = parse_count("--runs", *typed->runs, 1, 100);
      if (typed->seconds) options.seconds = parse_seconds("--seconds", *typed->seconds, 0.01, 3600);
      if (typed->name.empty()) return list_benches(typed->json);
      return run_bench(find(typed->name), options, typed->json);
    };
  });
}

}  // namespace heddle::cli
