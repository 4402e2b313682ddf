#include "cli/verify/attempt.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <exception>

#include "cli/commands.hpp"
#include "cli/verify/check_program.hpp"
#include "heddle/heddle.hpp"

namespace heddle::cli {
namespace {

// Of an attempt's share; what is left is for starting and comparing.
constexpr double kCheckerPart = 0.65;
constexpr double kLoadPart = 0.3;

// A line at once, whole: the reader must know what was under way when this process dies.
void tell(const Json& line) {
  fmt::print("{}\n", json_text(line));
  std::fflush(stdout);
}

}  // namespace

double AttemptRun::load_seconds() const noexcept { return kLoadPart * options_.seconds; }

void AttemptRun::step(const std::string& source, const std::string& name, const std::function<void(Claim&)>& step) {
  tell({{"doing", fmt::format("{}: {}", source, name)}});
  Claim claim;
  claim.source = source;
  claim.name = name;
  claim.words = words::kStress;
  try {
    step(claim);
  } catch (const std::exception& error) {
    claim.failures.push_back(error.what());
  }
  claim.pass = claim.failures.empty();
  failed_ = failed_ || !claim.pass;
  tell({{"claim", to_json(claim)}});
}

void AttemptRun::check_group(const std::string& group, std::size_t groups) {
  const std::string source = "group " + group;
  const double seconds = kCheckerPart * options_.seconds / static_cast<double>(groups);
  tell({{"doing", source}});
  CheckRun run;
  try {
    run = run_check(
        options_.check_program,
        {"--group", group, "--seconds", fmt::format("{:.3f}", seconds), "--seed", std::to_string(options_.seed)},
        3 * seconds + 60);
    if (run.build_id != build_id()) {
      tell({{"void", fmt::format("heddle-check is build {}, heddle is build {}", run.build_id, build_id())}});
    }
    if (run.claims.empty()) throw Error(ErrorKind::kUnsupported, "the group has no scenario, so nothing was shown");
  } catch (const std::exception& error) {
    Claim claim;
    claim.source = source;
    claim.name = "the group as a whole";
    claim.words = words::kAssumed;
    claim.failures = {error.what()};
    run.claims = {claim};
    run.found_failure = true;
  }
  failed_ = failed_ || run.found_failure;
  for (const Claim& claim : run.claims) tell({{"claim", to_json(claim)}});
}

const std::vector<Attempt>& attempts() {
  static const std::vector<Attempt> all = {attempt_memory(), attempt_handlers(), attempt_concurrency()};
  return all;
}

int run_attempt(const Attempt& attempt, const AttemptOptions& options) {
  AttemptRun run(options);
  if (!options.inject) {
    for (const char* group : attempt.groups) run.check_group(group, attempt.groups.size());
  }
  attempt.load(run);
  tell({{"end", true}});
  return run.failed() ? kExitFail : kExitPass;
}

}  // namespace heddle::cli
