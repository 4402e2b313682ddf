#include "cli/stress/family.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/stress/report.hpp"
#include "cli/terminal/json.hpp"
#include "cli/terminal/table.hpp"
#include "heddle/base/printable.hpp"

namespace heddle::cli {
namespace {

std::vector<std::string> table_row(const StressOptions& options, const StressResult& result, std::uint64_t round) {
  return {std::to_string(round),
          std::to_string(options.threads),
          std::to_string(options.sync_every),
          std::to_string(result.total_iterations),
          fmt::format("{:.3f}", result.seconds),
          fmt::format("{:.0f}", result.iterations_per_second()),
          fmt::format("{:.1f}", result.cpu_seconds_per_million()),
          std::to_string(result.checked),
          std::to_string(result.errors),
          result.pass ? "PASS" : "FAIL"};
}

}  // namespace

int run_family(const StressOptions& options, std::uint64_t repeat, bool json) {
  Table table({"round", "threads", "sync every", "iterations", "seconds", "iterations/s", "CPU s/million", "checked",
               "errors", "result"});
  Json results = Json::array();
  std::vector<std::string> errors;
  bool pass = true;
  for (std::uint64_t round = 1; round <= repeat; ++round) {
    for (const std::uint32_t threads : kFamilyThreads) {
      StressOptions one = options;
      one.threads = threads;
      one.sync_every = std::max<std::uint64_t>(options.iterations / 10, 1);
      const StressResult result = run_stress(one);
      pass = pass && result.pass;
      table.add(table_row(one, result, round));
      results.push_back(stress_json(one, result));
      errors.insert(errors.end(), result.first_errors.begin(), result.first_errors.end());
    }
  }
  if (json) {
    fmt::print("{}\n", json_text(results, 2));
    return pass ? kExitPass : kExitFail;
  }
  fmt::print("heddle stress --family, build {}: randn {} x {}, matmul, sum; {} iterations a thread\n{}", build_id(),
             options.size, options.size, options.iterations, table.text());
  for (const std::string& error : errors) fmt::print("  {}\n", printable(error));
  fmt::print("{}\n", pass ? "PASS" : "FAIL");
  return pass ? kExitPass : kExitFail;
}

}  // namespace heddle::cli
