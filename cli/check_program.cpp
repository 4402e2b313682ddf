#include "cli/check_program.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/commands.hpp"
#include "cli/subprocess.hpp"
#include "heddle/base/error.hpp"

namespace heddle::cli {
namespace {

// "waiter, timeout"; "none" for an empty list.
std::string joined(const Json& names) {
  std::string text;
  for (const Json& name : names) text += (text.empty() ? "" : ", ") + name.get<std::string>();
  return text.empty() ? "none" : text;
}

// The bound of a strategy in words: "2" or empty.
std::string bound_of(const Json& result) {
  const auto found = result.find("bound");
  if (found == result.end() || found->is_null()) return {};
  if (found->is_number()) return found->get<double>() < 0 ? std::string() : found->dump();
  const std::string text = found->get<std::string>();
  return text == "none" ? std::string() : text;
}

std::string words_of(const Json& result, const std::string& bound) {
  const std::uint64_t executions = result.at("executions");
  if (!result.at("exhausted").get<bool>()) return fmt::format("{} (n = {})", words::kSampled, executions);
  if (bound.empty()) return words::kExhaustive;
  return fmt::format("{} (c <= {})", words::kBounded, bound);
}

std::vector<std::string> failure_lines(const Json& failure) {
  std::vector<std::string> lines = {fmt::format("{}: {}", failure.value("kind", "failure"), failure.value("text", ""))};
  const auto add = [&](const char* key, const char* name) {
    if (!failure.contains(key)) return;
    const Json& value = failure.at(key);
    lines.push_back(fmt::format("{}: {}", name, value.is_string() ? value.get<std::string>() : value.dump()));
  };
  add("decisions", "decisions");
  add("trace_hash", "trace hash");
  return lines;
}

Claim claim_of(const Json& result) {
  const std::string bound = bound_of(result);
  const std::string strategy = result.at("strategy");
  Claim claim;
  claim.source = "group " + result.at("group").get<std::string>();
  claim.name = result.at("scenario");
  claim.method = bound.empty() ? strategy : fmt::format("{}, bound {}", strategy, bound);
  claim.words = words_of(result, bound);
  claim.scope = fmt::format("{} threads, at most {} decisions deep; choices: {}", result.at("threads").get<int>(),
                            result.at("depth_max").get<std::uint64_t>(), joined(result.at("choices")));
  claim.executions = result.at("executions");
  claim.pass = result.at("result") == "pass";
  for (const char* key : {"points", "points_per_second", "executions_per_second", "wall_seconds"}) {
    claim.figures[key] = result.at(key);
  }
  if (!claim.pass) claim.failures = failure_lines(result.value("failure", Json::object()));
  if (claim.pass && claim.executions == 0) {
    claim.pass = false;
    claim.failures = {"nothing was executed, so nothing was shown"};
  }
  return claim;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

CheckRun parse_check(const std::string& text) {
  const Json json = Json::parse(text);
  CheckRun run;
  run.build_id = json.at("build_id");
  for (const Json& result : json.at("results")) run.claims.push_back(claim_of(result));
  run.found_failure = std::any_of(run.claims.begin(), run.claims.end(), [](const Claim& claim) { return !claim.pass; });
  return run;
}

CheckRun run_check(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   double most_seconds) {
  std::vector<std::string> command = {program, "run"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.emplace_back("--json");
  const ProcessResult result = run_process(command, std::chrono::duration<double>(most_seconds));
  const bool answered = result.signal == 0 && (result.exit_code == kExitPass || result.exit_code == kExitFail);
  CheckRun run;
  try {
    if (answered) run = parse_check(result.out);
  } catch (const Json::exception& error) {
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
