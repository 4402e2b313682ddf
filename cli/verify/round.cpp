#include "cli/verify/round.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "cli/commands.hpp"
#include "cli/system/subprocess.hpp"
#include "cli/terminal/progress.hpp"
#include "cli/verify/check_program.hpp"
#include "cli/verify/source_tree.hpp"
#include "heddle/base/printable.hpp"
#include "heddle/heddle.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double kCanaryPart = 0.1;  // of the budget, at most; the attempts share the rest
constexpr Seconds kCanaryMost{300};
constexpr const char* kSelf = "/proc/self/exe";  // this very program, even if its file was replaced since

double since(Clock::time_point start) { return Seconds(Clock::now() - start).count(); }

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// heddle-check with a planted fault. Also tells its build id.
Canary check_canary(const VerifyOptions& options, double most, std::string& build_id) {
  Canary canary{"heddle-check run --plant canary", "a failure", "", false};
  try {
    const CheckRun run = run_check(options.check_program,
                                   {"--plant", "canary", "--seconds", fmt::format("{:.3f}", most)}, 3 * most + 60);
    build_id = run.build_id;
    canary.sang = run.found_failure;
    canary.seen = run.found_failure ? "a failure" : fmt::format("no failure in {} scenarios", run.claims.size());
  } catch (const std::exception& error) {
    canary.seen = error.what();
  }
  return canary;
}

// A command of this program whose planted fault must make it fail.
Canary own_canary(const VerifyOptions& options, const std::string& name, const std::vector<std::string>& arguments) {
  Canary canary{name, "exit code 1", "", false};
  std::vector<std::string> command = {kSelf};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--device", options.device});
  const ProcessResult result = run_process(command, kCanaryMost);
  canary.seen = result.ended();
  canary.sang = !result.timed_out && result.signal == 0 && result.exit_code == kExitFail;
  return canary;
}

std::vector<Canary> run_canaries(const VerifyOptions& options, std::string& checker_build_id) {
  std::vector<Canary> canaries;
  canaries.push_back(check_canary(options, kCanaryPart * options.budget_seconds, checker_build_id));
  canaries.push_back(own_canary(
      options, "heddle stress --inject stale",
      {"stress", "--threads", "4", "--iterations", "8", "--sync-every", "2", "--size", "64", "--inject", "stale"}));
  for (const Attempt& attempt : attempts()) {
    canaries.push_back(own_canary(
        options, fmt::format("the load of attempt {} with a planted fault", attempt.number),
        {"verify-attempt", std::to_string(attempt.number), "--inject", "--check-program", options.check_program}));
  }
  return canaries;
}

// Takes one line of an attempt's output.
void take_line(std::string_view text, AttemptResult& result, std::string& doing, bool& ended) {
  try {
    const std::optional<Json> line = parse_json(text);
    if (!line || !line->is_object()) return;  // what something else printed
    if (line->contains("doing")) doing = text_field(*line, "doing");
    if (line->contains("claim")) result.claims.push_back(claim_from(json_field(*line, "claim")));
    if (line->contains("void")) result.void_reason = text_field(*line, "void");
    ended = ended || line->contains("end");
  } catch (const JsonError& error) {
    result.failures.push_back(fmt::format("it printed what is no line of an attempt: {}", error.what()));
  }
}

AttemptResult supervise(const Attempt& attempt, const VerifyOptions& options, double share, std::uint64_t seed) {
  AttemptResult result;
  result.number = attempt.number;
  const Clock::time_point start = Clock::now();
  const Progress progress(fmt::format("attempt {} of {}, {}", attempt.number, attempts().size(), attempt.title),
                          [&] { return since(start) / share; });
  std::string doing = "starting";
  bool ended = false;
  const ProcessResult process = run_process(
      {kSelf, "verify-attempt", std::to_string(attempt.number), "--device", options.device, "--share",
       fmt::format("{:.2f}", share), "--seed", std::to_string(seed), "--check-program", options.check_program},
      Seconds(share + options.grace_seconds), [&](std::string_view line) { take_line(line, result, doing, ended); });
  result.seconds = process.seconds;
  result.pass =
      ended && result.failures.empty() && process.signal == 0 && process.exit_code == kExitPass && !process.timed_out;
  const bool told = ended && process.signal == 0 && process.exit_code == kExitFail;  // its claims say what failed
  if (!result.pass && !told) {
    result.failures.push_back(fmt::format("its process ended with {}, while at: {}", process.ended(), doing));
    if (const std::string said = last_line(process.error_tail); !said.empty())
      result.failures.push_back("it said: " + said);
  }
  return result;
}

std::string outcome_of(const AttemptResult& attempt) {
  if (!attempt.void_reason.empty()) return "void";
  return fmt::format("{}, {} claims, {:.1f} s", attempt.pass ? "clean" : "FAILED", attempt.claims.size(),
                     attempt.seconds);
}

// Why `result` is void before anything was tried; empty: it is not.
std::string void_reason(const RoundResult& result) {
  if (!result.source_build_id.empty() && result.source_build_id != result.build_id) {
    return fmt::format("stale binary: heddle is build {}, the source tree is {}; build it again", result.build_id,
                       result.source_build_id);
  }
  if (!result.checker_build_id.empty() && result.checker_build_id != result.build_id) {
    return fmt::format("stale binary: heddle is build {}, heddle-check is {}; build both", result.build_id,
                       result.checker_build_id);
  }
  if (!result.missing_symbols.empty()) {
    return fmt::format("the tables of patterns name what is not in the source tree: {}",
                       result.missing_symbols.front());
  }
  for (const Canary& canary : result.canaries) {
    if (!canary.sang)
      return fmt::format("silent canary: {}: {} was wanted, seen: {}", canary.name, canary.wanted, canary.seen);
  }
  return {};
}

std::string first_failure(const AttemptResult& attempt) {
  if (!attempt.failures.empty()) return attempt.failures.front();
  for (const Claim& claim : attempt.claims) {
    if (!claim.pass)
      return fmt::format("{}, {}: {}", claim.source, claim.name,
                         claim.failures.empty() ? "failed" : claim.failures.front());
  }
  return "failed without saying why";
}

}  // namespace

std::vector<std::string> missing_symbols(const std::filesystem::path& tree, const std::vector<Attempt>& attempts) {
  std::vector<std::string> missing;
  for (const Attempt& attempt : attempts) {
    for (const Pattern& pattern : attempt.patterns) {
      if (!names_symbol(tree, pattern.file, pattern.symbol)) {
        missing.push_back(fmt::format("{} in {}", pattern.symbol, pattern.file));
      }
    }
  }
  return missing;
}

void judge(RoundResult& result) {
  result.state = RoundState::kVoid;
  result.reason = printable(void_reason(result));
  if (!result.reason.empty()) return;
  for (const AttemptResult& attempt : result.attempts) {
    result.reason = printable(attempt.void_reason);
    if (!result.reason.empty()) return;
  }
  for (const AttemptResult& attempt : result.attempts) {
    if (attempt.pass) continue;
    result.state = RoundState::kFailed;
    result.reason = printable(fmt::format("attempt {}: {}", attempt.number, first_failure(attempt)));
    return;
  }
  if (result.attempts.size() != attempts().size()) {
    result.reason = "not all attempts were made";
    return;
  }
  result.state = RoundState::kClean;
}

RoundResult run_round(const VerifyOptions& options, std::uint64_t number, const RoundProgress& progress) {
  const Clock::time_point start = Clock::now();
  RoundResult result;
  result.number = number;
  result.build_id = build_id();
  result.device = options.device;
  result.budget_seconds = options.budget_seconds;
  if (options.source) {
    result.source_build_id = build_of_sources(*options.source);
    result.missing_symbols = missing_symbols(*options.source, attempts());
  }
  if (void_reason(result).empty()) {
    result.canaries = run_canaries(options, result.checker_build_id);
    std::size_t sang = 0;
    for (const Canary& canary : result.canaries) sang += canary.sang ? 1 : 0;
    progress("canaries", fmt::format("{} of {} planted faults found", sang, result.canaries.size()));
  }
  if (void_reason(result).empty()) {
    for (const Attempt& attempt : attempts()) {
      const auto left = static_cast<double>(attempts().size() - result.attempts.size());
      const double share = std::max(options.budget_seconds - since(start), 0.2 * options.budget_seconds) / left;
      result.attempts.push_back(supervise(attempt, options, share, number));
      progress(fmt::format("attempt {}: {}", attempt.number, attempt.title), outcome_of(result.attempts.back()));
    }
  }
  result.seconds = since(start);
  judge(result);
  return result;
}

}  // namespace heddle::cli
