// heddle verify: rounds of verification, their reports, their place in the ledger.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "cli/ledger/ledger.hpp"
#include "cli/system/whole_file.hpp"
#include "cli/terminal/option_values.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verify/report.hpp"
#include "cli/verify/round.hpp"
#include "cli/verify/source_tree.hpp"
#include "cli/verify/verify.hpp"
#include "heddle/base/environment.hpp"
#include "heddle/base/printable.hpp"
#include "heddle/heddle.hpp"
#include "heddle/runtime/open_device.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Text = std::optional<std::string>;

constexpr double kBudgetLeast = 1;
constexpr double kBudgetMost = 24 * 3600;

struct Typed {
  Text device, round, rounds, until, out, check_program, source;
  std::string budget = "2m", grace = "2m";
  bool json = false;
};

struct Plan {
  VerifyOptions options;
  std::optional<std::uint64_t> number;  // of the only round
  std::uint64_t rounds = 1;             // 0: as many as begin before `until_seconds`
  double until_seconds = 0;
};

// What the attempts will open: found out before anything is written.
std::string require_device(const Text& asked) {
  Options options;
  options.device = asked;
  options = resolve(options);
  if (*options.device == "sim") {
    throw InvalidArgument("device 'sim' computes nothing, so no result can be compared; allowed: cpu");
  }
  const Runtime runtime(options);
  return *options.device;
}

std::filesystem::path require_check_program(const Text& asked) {
  const std::filesystem::path program =
      asked ? std::filesystem::path(*asked) : own_program().parent_path() / "heddle-check";
  std::error_code error;
  if (!std::filesystem::is_regular_file(program, error) || ::access(program.c_str(), X_OK) != 0) {
    throw InvalidArgument(
        fmt::format("heddle-check is not at {}; allowed: build it there, or name it with "
                    "--check-program PATH",
                    program.string()));
  }
  return std::filesystem::absolute(program);
}

std::optional<std::filesystem::path> require_source(const Text& asked) {
  if (!asked) return find_source_tree(own_program().parent_path());
  if (!is_source_tree(*asked)) {
    throw InvalidArgument(
        fmt::format("--source is '{}', which holds no sources of heddle; allowed: a source tree", *asked));
  }
  return std::filesystem::absolute(*asked);
}

Plan read(const Typed& typed) {
  Plan plan;
  if (typed.round) plan.number = parse_count("--round", *typed.round, 1, kMostRounds);
  if (typed.rounds) plan.rounds = parse_count("--rounds", *typed.rounds, 1, 10'000);
  if (typed.until) {
    plan.rounds = 0;
    plan.until_seconds = parse_duration("--until", *typed.until, 1, 7 * kBudgetMost);
  }
  VerifyOptions& options = plan.options;
  options.budget_seconds = parse_duration("--budget", typed.budget, kBudgetLeast, kBudgetMost);
  options.grace_seconds = parse_duration("--grace", typed.grace, 1, kBudgetMost);
  options.device = require_device(typed.device);
  options.source = require_source(typed.source);
  options.check_program = require_check_program(typed.check_program);
  options.out = typed.out ? std::filesystem::path(*typed.out) : default_verify_folder();
  require_writable_folder(options.out);
  return plan;
}

// As it will be when `result` has its end.
LedgerHistory history_with(const Ledger& ledger, const RoundResult& result) {
  LedgerHistory history = ledger.read();
  for (LedgerRound& round : history.rounds) {
    if (round.number == result.number) round.outcome.state = result.state;
  }
  return history;
}

// What several steps threw, each of which is taken whatever the others did.
class Refusals {
 public:
  template <class Step>
  bool keep(const Step& step) {
    try {
      step();
      return true;
    } catch (const std::exception& error) {
      text_ += (text_.empty() ? "" : "; ") + std::string(error.what());
      return false;
    }
  }
  // Throws one Error with all the texts.
  void raise() const {
    if (!text_.empty()) throw Error(ErrorKind::kInvalidArgument, text_);
  }

 private:
  std::string text_;
};

const char* verdict(RoundState state) {
  return state == RoundState::kClean ? "CLEAN" : state == RoundState::kFailed ? "FAILED" : "VOID";
}

void say(bool json, const std::string& text) {
  if (json) return;
  fmt::print("{}", text);
  std::fflush(stdout);
}

std::string part_line(std::string_view name, std::string_view text) {
  return fmt::format("  {:<32}{}\n", printable(name), printable(text));
}

// The lines that end a round.
std::string round_end(const RoundResult& result, const LedgerHistory& history, const std::string& report, bool kept) {
  std::string text = part_line("report", report);
  if (!result.reason.empty()) text += part_line("reason", result.reason);
  if (!history.flaws.empty()) {
    text += part_line("ledger", fmt::format("{} {}, the last: {}; `heddle ledger` shows all", history.flaws.size(),
                                            history.flaws.size() == 1 ? "flaw" : "flaws", history.flaws.back().text));
  }
  if (!kept) {
    return text + fmt::format("NOT KEPT: the round was {}, and the ledger has no end of it, so it does not count\n",
                              state_name(result.state));
  }
  const std::size_t clean = clean_in_a_row(history, true);
  return text + fmt::format("{}: {} clean {} of this build in a row\n", verdict(result.state), clean,
                            clean == 1 ? "round" : "rounds");
}

// One round with its report and its entry. `shown`: gets its JSON.
RoundState make_round(const Plan& plan, bool json, Json& shown) {
  const Ledger ledger(ledger_path(plan.options.out));
  const RoundClaim claim = ledger.begin(plan.number, build_id(), plan.options.device);
  say(json, fmt::format("heddle verify, round {}, build {}\n", claim.number(), build_id()));
  RoundResult result =
      run_round(plan.options, claim.number(),
                [json](const std::string& part, const std::string& outcome) { say(json, part_line(part, outcome)); });
  result.ledger_digest = claim.digest();
  // Neither the reports nor the ledger are lost where the other cannot be written.
  const std::string report = report_stem(claim.number()) + ".md";
  LedgerHistory history;
  Refusals refusals;
  refusals.keep([&] { history = history_with(ledger, result); });
  refusals.keep([&] { write_reports(plan.options.out, result, clean_in_a_row(history, true)); });
  const bool kept = refusals.keep(
      [&] { ledger.end(claim, {result.state, result.executions(), result.seconds, result.reason, report}); });
  shown = round_json(result, kept ? clean_in_a_row(history, true) : 0);
  shown["report"] = (plan.options.out / report).string();
  shown["in_ledger"] = kept;
  shown["ledger_flaws"] = Json::array();
  for (const LedgerFlaw& flaw : history.flaws) shown["ledger_flaws"].push_back(flaw.text);
  say(json, round_end(result, history, plan.options.out / report, kept));
  refusals.raise();
  return result.state;
}

// All rounds of the plan. A void one ends it: the next would be void for the same reason.
int make_rounds(const Plan& plan, bool json) {
  const Clock::time_point start = Clock::now();
  const bool one = plan.rounds == 1;
  Json all = Json::array();
  bool clean = true;
  const auto more = [&](std::uint64_t made) {
    if (plan.rounds > 0) return made < plan.rounds;
    return made == 0 || std::chrono::duration<double>(Clock::now() - start).count() < plan.until_seconds;
  };
  const auto print = [&] { fmt::print("{}\n", json_text(one ? all.front() : all, 2)); };
  for (std::uint64_t made = 0; more(made); ++made) {
    Json shown;
    RoundState state{};
    try {
      state = make_round(plan, json, shown);
    } catch (...) {
      if (!shown.is_null()) all.push_back(std::move(shown));
      if (json && !all.empty()) print();
      throw;
    }
    all.push_back(std::move(shown));
    clean = clean && state == RoundState::kClean;
    if (state == RoundState::kVoid) break;
  }
  if (json) print();
  return clean ? kExitPass : kExitFail;
}

}  // namespace

void add_verify(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("verify", "One verification round: three attempts to find a fault, a report");
  const auto typed = std::make_shared<Typed>();
  const auto add = [command](const char* name, auto& value, const char* text) {
    return command->add_option(name, value, text)->type_name("");
  };
  CLI::Option* rounds = add("--rounds", typed->rounds, "How many rounds, 1 to 10000 (1)");
  CLI::Option* until = add("--until", typed->until, "Begin rounds for this long, as in 30m, instead of --rounds");
  CLI::Option* round = add("--round", typed->round,
                           "The round's number, 1 to 999999 (the ledger's next); skipped ones count as missing");
  until->excludes(rounds);
  round->excludes(rounds);
  round->excludes(until);
  add("--device", typed->device, "cpu (default), or HEDDLE_DEVICE");
  add("--budget", typed->budget, "Time of a round, with s, m or h, 1s to 24h (2m)");
  add("--out", typed->out, "Folder of reports and ledger (build/verify in the source tree, else ./heddle-verify)");
  add("--check-program", typed->check_program, "heddle-check's path (beside this program)");
  add("--source", typed->source, "The source tree that this build is compared with (the one this program is in)");
  add("--grace", typed->grace, "Beyond its share of the budget, before an attempt is called hung, 1s to 24h (2m)");
  command->add_flag("--json", typed->json, "One JSON object (with --rounds or --until an array)");
  command->callback([typed, &run] { run = [typed] { return make_rounds(read(*typed), typed->json); }; });
}

void add_verify_attempt(CLI::App& app, Run& run) {
  struct Asked {
    int number = 0;
    AttemptOptions options;
  };
  CLI::App* command = app.add_subcommand("verify-attempt", "One attempt of a round")->group("");
  const auto asked = std::make_shared<Asked>();
  asked->options.seconds = 1;
  command->add_option("number", asked->number)->required()->check(CLI::Range(1, 3));
  command->add_option("--device", asked->options.device)->required();
  command->add_option("--share", asked->options.seconds);
  command->add_option("--seed", asked->options.seed);
  command->add_option("--check-program", asked->options.check_program)->required();
  command->add_flag("--inject", asked->options.inject);
  command->callback([asked, &run] {
    run = [asked] { return run_attempt(attempts().at(static_cast<std::size_t>(asked->number - 1)), asked->options); };
  });
}

}  // namespace heddle::cli
