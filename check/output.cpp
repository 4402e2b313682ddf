#include <fmt/core.h>
#include <fmt/format.h>

#include "check/run.hpp"
#include "cli/terminal/json.hpp"
#include "heddle/version.hpp"
#include "heddle_check/failure.hpp"

namespace heddle::check {
namespace {

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

// "3.2 M", "45 k", "310"
std::string short_number(double value) {
  if (value >= 1e6) return fmt::format("{:.1f} M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.0f} k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

std::string strategy_name(const Row& row) {
  return row.strategy.name == "bounded" ? fmt::format("bounded c<={}", row.strategy.bound) : to_text(row.strategy);
}

constexpr const char* kColumns = "{:<24} {:>3} {:>7} {:<14} {:>11} {:>9} {:>6} {:>9} {:>9} {:>8}  {}\n";

// Quoted as one word for a shell.
std::string shell_word(const std::string& text) {
  if (text.find_first_of(" \t'\"\\$&|;<>()*?[]#~`") == std::string::npos) return text;
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted.append("'\\''");
    } else {
      quoted.push_back(c);
    }
  }
  return fmt::format("'{}'", quoted);
}

}  // namespace

void print_header() {
  fmt::print(kColumns, "scenario", "thr", "ops", "strategy", "executions", "exhausted", "depth", "exec/s", "ops/s",
             "wall", "result");
}

void print_row(const Row& row, const std::string& program) {
  const heddle_check::Result& result = row.result;
  const std::uint64_t each = result.executions == 0 ? 0 : result.points / result.executions;
  fmt::print(kColumns, row.scenario.name, row.scenario.threads, each, strategy_name(row), result.executions,
             result.exhausted ? "yes" : "no", result.depth_max,
             short_number(per_second(result.executions, result.seconds)),
             short_number(per_second(result.points, result.seconds)), fmt::format("{:.2f} s", result.seconds),
             result.failed() ? heddle_check::name_of(result.failure.kind) : "pass");
  fmt::print("  choices: {}\n", fmt::join(heddle_check::choice_names(row.scenario.limits), ", "));
  if (!result.summary.empty()) fmt::print("  {}\n", result.summary);
  if (!result.failed()) return;
  fmt::print("\n{}: {}\n{}\n{}\nreplay: {} replay '{}'\n\n", heddle_check::name_of(result.failure.kind),
             result.failure.text, result.failure.details, result.trace, shell_word(program), row.decisions);
}

std::string to_json(const std::vector<Row>& rows) {
  cli::Json document;
  document["build_id"] = build_id();
  document["results"] = cli::Json::array();
  for (const Row& row : rows) {
    const heddle_check::Result& result = row.result;
    cli::Json entry;
    entry["scenario"] = row.scenario.name;
    entry["group"] = row.scenario.group;
    entry["strategy"] = row.strategy.name == "bounded" ? "bounded" : to_text(row.strategy);
    entry["bound"] = row.strategy.name == "bounded" ? cli::Json(result.bound) : nullptr;
    entry["threads"] = row.scenario.threads;
    entry["executions"] = result.executions;
    entry["exhausted"] = result.exhausted;
    entry["points"] = result.points;
    entry["points_per_execution"] = result.executions == 0 ? 0 : result.points / result.executions;
    entry["points_per_second"] = per_second(result.points, result.seconds);
    entry["executions_per_second"] = per_second(result.executions, result.seconds);
    entry["choices"] = heddle_check::choice_names(row.scenario.limits);
    entry["depth_max"] = result.depth_max;
    entry["wall_seconds"] = result.seconds;
    entry["confidence"] = nullptr;
    if (result.confidence >= 0) entry["confidence"] = result.confidence;
    entry["summary"] = result.summary;
    entry["result"] = result.failed() ? "fail" : "pass";
    entry["failure"] = nullptr;
    if (result.failed()) {
      entry["failure"] = {{"kind", heddle_check::name_of(result.failure.kind)},
                          {"text", result.failure.text},
                          {"decisions", row.decisions},
                          {"trace_hash", fmt::format("{:016x}", result.trace_hash)}};
    }
    document["results"].push_back(std::move(entry));
  }
  return cli::json_text(document, 2);
}

}  // namespace heddle::check
