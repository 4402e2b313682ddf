#include "cli/verify/check_program.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "cli/commands.hpp"
#include "cli/system/subprocess.hpp"
#include "heddle/error.hpp"

namespace heddle::cli {
namespace {

// "waiter, timeout"; "none" for an empty list.
std::string joined(const Json& names) {
  std::string text;
  for (const Json& name : names) {
    if (!name.is_string()) throw JsonError(fmt::format("its choices hold one of type {}", name.type_name()));
    text += (text.empty() ? "" : ", ") + name.get<std::string>();
  }
  return text.empty() ? "none" : text;
}

// The bound of a strategy in words: "2" or empty.
std::string bound_of(const Json& result) {
  const auto found = result.find("bound");
  if (found == result.end() || found->is_null()) return {};
  if (found->is_number()) return found->get<double>() < 0 ? std::string() : fmt::format("{}", found->get<double>());
  const std::string text = text_field(result, "bound");
  return text == "none" ? std::string() : text;
}

std::string words_of(const Json& result, const std::string& bound) {
  if (!flag_field(result, "exhausted")) {
    return fmt::format("{} (n = {})", words::kSampled, count_field(result, "executions"));
  }
  if (bound.empty()) return words::kExhaustive;
  return fmt::format("{} (c <= {})", words::kBounded, bound);
}

std::vector<std::string> failure_lines(const Json& result) {
  const auto failure = result.find("failure");
  if (failure == result.end() || !failure->is_object()) return {"failure: it does not say which"};
  const auto text = [&](const char* key) { return failure->contains(key) ? text_field(*failure, key) : std::string(); };
  const std::string kind = text("kind");
  std::vector<std::string> lines = {fmt::format("{}: {}", kind.empty() ? "failure" : kind, text("text"))};
  if (failure->contains("decisions")) lines.push_back("decisions: " + text("decisions"));
  if (failure->contains("trace_hash")) lines.push_back("trace hash: " + text("trace_hash"));
  return lines;
}

Claim claim_of(const Json& result) {
  const std::string bound = bound_of(result);
  const std::string strategy = text_field(result, "strategy");
  Claim claim;
  claim.source = "group " + text_field(result, "group");
  claim.name = text_field(result, "scenario");
  claim.method = bound.empty() ? strategy : fmt::format("{}, bound {}", strategy, bound);
  claim.words = words_of(result, bound);
  claim.scope = fmt::format("{} threads, at most {} decisions deep; choices: {}", count_field(result, "threads"),
                            count_field(result, "depth_max"), joined(json_field(result, "choices")));
  claim.executions = count_field(result, "executions");
  claim.pass = text_field(result, "result") == "pass";
  for (const char* key : {"points", "points_per_second", "executions_per_second", "wall_seconds"}) {
    claim.figures[key] = number_field(result, key);
  }
  if (!claim.pass) claim.failures = failure_lines(result);
  if (claim.pass && claim.executions == 0) {
    claim.pass = false;
    claim.failures = {"nothing was executed, so nothing was shown"};
  }
  return claim;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

CheckRun parse_check(const std::string& text) {
  const std::optional<Json> json = parse_json(text);
  if (!json) throw JsonError("not JSON");
  CheckRun run;
  run.build_id = text_field(*json, "build_id", kIdMost);
  for (const Json& result : json_field(*json, "results")) run.claims.push_back(claim_of(result));
  run.found_failure = std::any_of(run.claims.begin(), run.claims.end(), [](const Claim& claim) { return !claim.pass; });
  return run;
}

CheckRun run_check(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   double most_seconds) {
  std::vector<std::string> command = {program, "run"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.emplace_back("--json");
  const ProcessResult result = run_process(command, std::chrono::duration<double>(most_seconds));
  const bool answered =
      result.signal == 0 && !result.flooded && (result.exit_code == kExitPass || result.exit_code == kExitFail);
  CheckRun run;
  try {
    if (answered) run = parse_check(result.out);
  } catch (const JsonError& error) {
    throw Error(ErrorKind::kUnsupported, fmt::format("heddle-check printed what is no result: {}", error.what()));
  }
  if (!answered) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("heddle-check: {}; {}", result.ended(), first_line(result.error_tail)));
  }
  if ((result.exit_code == kExitFail) != run.found_failure) {
    throw Error(ErrorKind::kUnsupported, fmt::format("heddle-check: {}, but its results say {}", result.ended(),
                                                     run.found_failure ? "fail" : "pass"));
  }
  return run;
}

}  // namespace heddle::cli
