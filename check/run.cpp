#include "check/run.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "check/plants.hpp"
#include "check/scenarios.hpp"
#include "cli/terminal/json.hpp"
#include "heddle/sync/checked/plants.hpp"
#include "heddle/version.hpp"
#include "heddle_check/campaign/portfolio.hpp"
#include "heddle_check/decisions.hpp"
#include "heddle_check/minimise/minimise.hpp"

namespace heddle::check {
namespace {

using heddle_check::Scenario;
using heddle_check::StrategySpec;

// The limit on executions if neither the scenario nor the user sets one.
constexpr std::uint64_t kExecutions = 1'000'000;
constexpr std::uint64_t kPortfolioExecutions = 50'000;  // of all its strategies together

template <class Items, class Name>
std::string names(const Items& items, Name name) {
  std::vector<std::string> all;
  for (const auto& item : items) {
    if (std::find(all.begin(), all.end(), name(item)) == all.end()) all.push_back(name(item));
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

const Plant& known_plant(const std::string& id) {
  const std::vector<Plant>& all = all_plants();
  const auto at = std::find_if(all.begin(), all.end(), [&](const Plant& plant) { return plant.id == id; });
  if (at != all.end()) return *at;
  throw std::invalid_argument(
      fmt::format("plant '{}' is unknown; allowed: {}", id, names(all, [](const Plant& plant) { return plant.id; })));
}

// Call this before the scenarios are made: the canary reads the plant at that time.
void plant(const std::string& id) {
  if (!id.empty()) known_plant(id);
  sync::switch_plant_on(id);
}

// The requested scenarios; with only a plant, the scenario that it makes fail.
Scenarios selected(const RunOptions& options) {
  const Scenarios all = all_scenarios();
  const int ways = int{options.all} + int{!options.group.empty()} + int{!options.scenarios.empty()};
  if (ways == 0 && !options.plant.empty()) return {scenario_named(known_plant(options.plant).scenario)};
  if (ways != 1) {
    throw std::invalid_argument(
        "name scenarios, or pass --all or --group GROUP: exactly one of the three (none with --plant)");
  }
  if (options.all) return all;
  Scenarios chosen;
  for (const std::string& name : options.scenarios) chosen.push_back(scenario_named(name));
  for (const Scenario& scenario : all) {
    if (scenario.group == options.group) chosen.push_back(scenario);
  }
  if (chosen.empty()) {
    throw std::invalid_argument(fmt::format("group '{}' has no scenario; allowed: {}", options.group,
                                            names(all, [](const Scenario& scenario) { return scenario.group; })));
  }
  return chosen;
}

constexpr const char* kPortfolio = "portfolio";

// Parses --strategy. Throws std::invalid_argument with the allowed values.
StrategySpec parsed_strategy(const std::string& text) {
  try {
    return heddle_check::parse_strategy(text);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}, {}", error.what(), kPortfolio));
  }
}

// The scenario's own strategies. With --strategy: its own of that name; with a parameter, or without such a one, only
// the given strategy.
std::vector<StrategySpec> strategies_of(const Scenario& scenario, const RunOptions& options) {
  std::vector<StrategySpec> chosen;
  for (const StrategySpec& spec : scenario.strategies) {
    if (options.strategy.empty() || spec.name == options.strategy) chosen.push_back(spec);
  }
  if (chosen.empty()) chosen.push_back(parsed_strategy(options.strategy));
  for (StrategySpec& spec : chosen) {
    if (spec.name == "bounded" && options.bound >= 0) spec.bound = options.bound;
    if (spec.name == "bounded" && spec.bound < 0) spec.bound = 2;
  }
  return chosen;
}

// Divides the given time: each part gets an equal share of the rest, so parts that end early leave more to later ones.
class Shares {
 public:
  Shares(double seconds, std::size_t parts) : seconds_(seconds), parts_(parts) {}

  // Seconds for the next part; 0: no limit.
  double next() {
    if (seconds_ == 0) return 0;
    const double left = seconds_ - std::chrono::duration<double>(Clock::now() - start_).count();
    const auto parts = static_cast<double>(parts_ > 1 ? parts_-- : 1);
    return std::max(left / parts, kLeast);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kLeast = 0.001;
  const double seconds_;
  std::size_t parts_;
  const Clock::time_point start_ = Clock::now();
};

heddle_check::Budget budget_of(const RunOptions& options, double seconds, std::uint64_t executions) {
  heddle_check::Budget budget{options.executions, seconds};
  // Without a limit on executions, run as many as the strategy's confidence needs, if it has one.
  if (options.executions == 0 && executions == 0) budget.confidence = 0.99;
  if (budget.executions == 0 && budget.seconds == 0) budget.executions = executions;
  if (budget.executions == 0 && budget.seconds == 0) budget.executions = kExecutions;
  return budget;
}

Row made_row(const Scenario& scenario, const StrategySpec& spec, heddle_check::Result result,
             const std::string& plant) {
  Row row{scenario, spec, std::move(result), {}};
  if (row.result.failed()) {
    row.decisions =
        heddle_check::DecisionString{build_id(), scenario.name, plant, row.result.trace_hash, row.result.decisions}
            .text();
  }
  return row;
}

// One row for each of its strategies that had a turn.
std::vector<Row> explore_portfolio(const Scenario& scenario, const RunOptions& options, Shares& shares) {
  const auto result =
      heddle_check::run_portfolio(scenario, {.budget = budget_of(options, shares.next(), kPortfolioExecutions),
                                             .seed = options.seed,
                                             .shards = options.processes,
                                             .progress = !options.json});
  if (!result.lost.empty()) throw std::runtime_error(fmt::format("{}: {}", scenario.name, result.lost.front()));
  std::vector<Row> rows;
  for (const auto& part : result.parts) {
    if (part.result.executions != 0) rows.push_back(made_row(scenario, part.spec, part.result, options.plant));
  }
  return rows;
}

Row explore(const Scenario& scenario, const StrategySpec& spec, const RunOptions& options, Shares& shares) {
  using heddle_check::Backend;
  heddle_check::Explorer explorer(options.real_threads ? Backend::kThreads : Backend::kFibers);
  const auto strategy = heddle_check::make_strategy(spec, options.seed);
  const heddle_check::Budget budget = budget_of(options, shares.next(), spec.executions);
  return made_row(scenario, spec, explorer.explore(scenario, *strategy, budget), options.plant);
}

// The number of time shares of a scenario.
std::size_t parts_of(const Scenario& scenario, const RunOptions& options) {
  return options.strategy == kPortfolio ? 1 : strategies_of(scenario, options).size();
}

std::vector<Row> explore(const Scenario& scenario, const RunOptions& options, Shares& shares) {
  if (options.strategy == kPortfolio) return explore_portfolio(scenario, options, shares);
  std::vector<Row> rows;
  for (const StrategySpec& spec : strategies_of(scenario, options)) {
    rows.push_back(explore(scenario, spec, options, shares));
  }
  return rows;
}

// Visible operations of its plain execution: threads continue while they can, and nothing unusual happens.
std::uint64_t points_of(const Scenario& scenario) {
  heddle_check::Explorer explorer;
  explorer.set_replay_every(0);
  return explorer.explore(scenario, *heddle_check::make_strategy({.name = "bounded"}, 1), {.executions = 1}).points;
}

// The contents of a decision string; its plant is switched on.
struct Decided {
  heddle_check::DecisionString string;
  Scenario scenario;
};
Decided decided(const std::string& text) {
  auto decisions = heddle_check::DecisionString::parse(text);
  if (decisions.build_id != build_id()) {
    throw std::invalid_argument(
        fmt::format("the decision string is from build {}, but this program is build {}; use it "
                    "with the build that printed it",
                    decisions.build_id, build_id()));
  }
  plant(decisions.plant);
  Scenario scenario = scenario_named(decisions.scenario);
  return {std::move(decisions), std::move(scenario)};
}

}  // namespace

int list(bool json) {
  if (json) {
    cli::Json document;
    document["build_id"] = build_id();
    for (const Scenario& scenario : all_scenarios()) {
      document["scenarios"].push_back({{"scenario", scenario.name},
                                       {"group", scenario.group},
                                       {"threads", scenario.threads},
                                       {"points", points_of(scenario)},
                                       {"choices", heddle_check::choice_names(scenario.limits)},
                                       {"claim", scenario.claim}});
    }
    for (const Plant& known : all_plants()) {
      document["plants"].push_back({{"plant", known.id},
                                    {"pattern", known.pattern},
                                    {"group", known.group},
                                    {"story", known.story},
                                    {"scenario", known.scenario}});
    }
    fmt::print("{}\n", cli::json_text(document, 2));
    return kExitPass;
  }
  for (const Scenario& scenario : all_scenarios()) {
    fmt::print("{:<24} {:<10} {:>5} points; {}\n{:<24} {}\n", scenario.name, scenario.group, points_of(scenario),
               fmt::join(heddle_check::choice_names(scenario.limits), ", "), "", scenario.claim);
  }
  for (const Plant& known : all_plants())
    fmt::print("--plant {:<28} {} (killed by {})\n", known.id, known.story, known.scenario);
  return kExitPass;
}

int run(const RunOptions& options, const std::string& program) {
  plant(options.plant);
  const Scenarios scenarios = selected(options);
  if (options.strategy == kPortfolio) {
    if (options.real_threads) throw std::invalid_argument("a portfolio runs on fibers; omit --real-threads");
  } else if (options.processes != 1) {
    throw std::invalid_argument("only a portfolio runs in several processes; add --strategy portfolio");
  } else if (!options.strategy.empty()) {
    const StrategySpec spec = parsed_strategy(options.strategy);  // rejects unknown ones
    if (spec.name == "bounded" && spec.bound >= 0 && options.bound >= 0 && spec.bound != options.bound) {
      throw std::invalid_argument(fmt::format("--strategy {} and --bound {} contradict each other; give the bound once",
                                              options.strategy, options.bound));
    }
  }
  std::vector<Row> rows;
  bool failed = false;
  if (!options.json) print_header();
  std::size_t parts = 0;
  for (const Scenario& scenario : scenarios) parts += parts_of(scenario, options);
  Shares shares(options.seconds, parts);
  for (const Scenario& scenario : scenarios) {
    for (Row& row : explore(scenario, options, shares)) {
      failed |= row.result.failed();
      if (!options.json) print_row(row, program);
      static_cast<void>(std::fflush(stdout));
      rows.push_back(std::move(row));
    }
  }
  if (options.json) fmt::print("{}\n", to_json(rows));
  return failed ? kExitFail : kExitPass;
}

int replay(const std::string& text, bool json) {
  const auto [decisions, scenario] = decided(text);
  heddle_check::Explorer explorer;
  heddle_check::Replayed replayed = explorer.replay(scenario, decisions.decisions);
  if (replayed.trace_hash != decisions.trace_hash && replayed.failure.kind != heddle_check::FailureKind::kDivergence) {
    replayed.failure = {heddle_check::FailureKind::kDivergence,
                        fmt::format("the trace has hash {:016x}, but the recorded one is {:016x}", replayed.trace_hash,
                                    decisions.trace_hash),
                        replayed.failure.text};
  }
  const bool failed = replayed.failure.kind != heddle_check::FailureKind::kNone;
  if (json) {
    cli::Json document{{"build_id", build_id()}, {"scenario", scenario.name}};
    document["trace_hash"] = fmt::format("{:016x}", replayed.trace_hash);
    document["result"] = failed ? "fail" : "pass";
    document["failure"] = nullptr;
    if (failed) {
      document["failure"] = {{"kind", heddle_check::name_of(replayed.failure.kind)}, {"text", replayed.failure.text}};
    }
    fmt::print("{}\n", cli::json_text(document, 2));
  } else {
    fmt::print("{}\n{}: {}\n{}\ntrace hash {:016x}\n", replayed.trace, heddle_check::name_of(replayed.failure.kind),
               failed ? replayed.failure.text : "the execution passes", replayed.failure.details, replayed.trace_hash);
  }
  return failed ? kExitFail : kExitPass;
}

int minimise(const std::string& text) {
  const auto [decisions, scenario] = decided(text);
  const heddle_check::Minimised small = heddle_check::minimise(scenario, decisions.decisions);
  const heddle_check::DecisionString string{build_id(), scenario.name, decisions.plant, small.trace_hash,
                                            small.decisions};
  fmt::print("{}\n{}\ndecisions: {}\n\n{}", small.trace, heddle_check::story_of(scenario, small), string.text(),
             heddle_check::test_stub(scenario, small, fmt::format("scenario_named(\"{}\")", scenario.name)));
  return kExitFail;
}

}  // namespace heddle::check
