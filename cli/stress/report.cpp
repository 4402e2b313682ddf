#include "cli/stress/report.hpp"

#include <fmt/core.h>

#include "cli/terminal/option_values.hpp"
#include "cli/terminal/table.hpp"

namespace heddle::cli {

const char* check_name(Check check) {
  switch (check) {
    case Check::kSampled: return "sampled";
    case Check::kFull: return "full";
    case Check::kOff: break;
  }
  return "off";
}

const char* inject_name(Inject inject) {
  switch (inject) {
    case Inject::kStale: return "stale";
    case Inject::kSwap: return "swap";
    case Inject::kElement: return "element";
    case Inject::kRow: return "row";
    case Inject::kNone: break;
  }
  return "none";
}

Json stress_json(const StressOptions& options, const StressResult& result) {
  const bool timed = options.seconds > 0;
  Json json;
  json["device"] = result.device;
  json["threads"] = options.threads;
  json["iterations"] = timed ? result.total_iterations / options.threads : options.iterations;  // of each thread
  json["size"] = options.size;
  json["sync_every"] = options.sync_every;
  json["total_iterations"] = result.total_iterations;
  json["seconds"] = result.seconds;
  json["iterations_per_second"] = result.iterations_per_second();
  json["cpu_seconds"] = result.cpu_seconds;
  json["checked"] = result.checked;
  json["errors"] = result.errors;
  json["executed"] = {
      {"randn", result.executed_randn}, {"matmul", result.executed_matmul}, {"sum", result.executed_sum}};
  json["pass"] = result.pass;
  json["build_id"] = build_id();
  json["tolerance"] = result.tolerance;
  json["cpu_seconds_per_million_iterations"] = result.cpu_seconds_per_million();
  json["memory"] = {{"limit", result.memory.limit},
                    {"reserved_peak", result.memory.reserved_peak},
                    {"rounded_peak", result.memory.rounded_peak}};
  json["inject"] = inject_name(options.inject);
  json["check"] = check_name(options.check);
  json["unchecked_lists"] = result.unchecked_lists;
  json["unchecked_sums"] = result.unchecked_sums;
  json["warmup_iterations"] = result.warmup_iterations;
  json["seed"] = options.seed;
  json["first_errors"] = result.first_errors;
  return json;
}

std::string stress_text(const StressOptions& options, const StressResult& result) {
  const std::uint64_t total = result.total_iterations;
  const std::string each = options.seconds > 0 ? fmt::format("{} in all, in {} s", total, options.seconds)
                                               : fmt::format("{} a thread, {} in all", options.iterations, total);
  const std::string warm_up = result.warmup_iterations == 0
                                  ? std::string("no warm-up")
                                  : fmt::format("after a warm-up of {} a thread", result.warmup_iterations);
  std::string out = fmt::format("heddle stress, build {}\n", build_id());
  out += field_line("device", fmt::format("{}: {}; {}", result.device, result.device_name, result.kernels));
  out += field_line("threads", fmt::format("{}, {}", options.threads,
                                           result.shared_streams ? "sharing streams" : "each with its own stream"));
  out += field_line("iterations", fmt::format("{}; {}", each, warm_up));
  out +=
      field_line("operations", fmt::format("{} (randn {} x {}, matmul, sum)", 3 * total, options.size, options.size));
  out += field_line("executed", fmt::format("randn {}, matmul {}, sum {}", result.executed_randn,
                                            result.executed_matmul, result.executed_sum));
  out += field_line("synchronize", fmt::format("every {} iterations", options.sync_every));
  out += field_line("seconds", fmt::format("{:.3f}", result.seconds));
  out += field_line("iterations/s", fmt::format("{:.0f}", result.iterations_per_second()));
  out += field_line("CPU seconds", fmt::format("{:.3f}, {:.1f} per million iterations", result.cpu_seconds,
                                               result.cpu_seconds_per_million()));
  out += field_line("memory", fmt::format("at most {} reserved, limit {}", bytes_text(result.memory.reserved_peak),
                                          bytes_text(result.memory.limit)));
  out += field_line("checked", fmt::format("{} sums against double precision ({}), tolerance {:.4g}", result.checked,
                                           check_name(options.check), result.tolerance));
  if (result.unchecked_lists > 0) out += field_line("", fmt::format("{} lists not kept", result.unchecked_lists));
  if (result.unchecked_sums > 0)
    out += field_line("", fmt::format("{} sums not compared: no time left", result.unchecked_sums));
  if (options.check_as_it_goes) out += field_line("", "compared as the run went: the rate holds that too");
  if (options.inject != Inject::kNone) out += field_line("injected", inject_name(options.inject));
  out += field_line("errors", std::to_string(result.errors));
  for (const std::string& text : result.first_errors) out += field_line("", text);
  if (!result.pass && result.errors == 0) out += field_line("", "the device executed other counts than were asked for");
  return out + (result.pass ? "PASS\n" : "FAIL\n");
}

}  // namespace heddle::cli
