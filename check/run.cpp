#include "check/run.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "check/plants.hpp"
#include "check/scenarios.hpp"
#include "heddle/runtime/runtime.hpp"
#include "heddle/sync/checked/plants.hpp"
#include "heddle_check/decisions.hpp"

namespace heddle::check {
namespace {

using heddle_check::Scenario;
using heddle_check::StrategySpec;

// Most executions where neither the scenario nor the user says.
constexpr std::uint64_t kExecutions = 1'000'000;

template <class Items, class Name>
std::string names(const Items& items, Name name) {
  std::vector<std::string> all;
  for (const auto& item : items) all.push_back(name(item));
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return fmt::format("{}", fmt::join(all, ", "));
}

const Scenario& find(const Scenarios& all, const std::string& name) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const Scenario& scenario) { return scenario.name == name; });
  if (at != all.end()) return *at;
  throw std::invalid_argument(fmt::format("scenario '{}' is unknown; allowed: {}", name,
                                          names(all, [](const Scenario& scenario) { return scenario.name; })));
}

Scenarios selected(const RunOptions& options) {
  const Scenarios all = all_scenarios();
  const int ways = int{options.all} + int{!options.group.empty()} + int{!options.scenarios.empty()};
  if (ways != 1) throw std::invalid_argument("name scenarios, or pass --all, or --group GROUP: one of the three");
  if (options.all) return all;
  Scenarios chosen;
  for (const std::string& name : options.scenarios) chosen.push_back(find(all, name));
  for (const Scenario& scenario : all) {
    if (scenario.group == options.group) chosen.push_back(scenario);
  }
  if (chosen.empty()) {
    throw std::invalid_argument(fmt::format("group '{}' has no scenario; allowed: {}", options.group,
                                            names(all, [](const Scenario& scenario) { return scenario.group; })));
  }
  return chosen;
}

// The scenario's own; with --strategy its own of that name, or one with the defaults.
std::vector<StrategySpec> strategies_of(const Scenario& scenario, const RunOptions& options) {
  std::vector<StrategySpec> chosen;
  for (const StrategySpec& spec : scenario.strategies) {
    if (options.strategy.empty() || spec.name == options.strategy) chosen.push_back(spec);
  }
  if (chosen.empty()) chosen.push_back({.name = options.strategy});
  for (StrategySpec& spec : chosen) {
    if (options.bound >= 0) spec.bound = options.bound;
    if (spec.name == "bounded" && spec.bound < 0) spec.bound = 2;
  }
  return chosen;
}

void plant(const std::string& id) {
  const std::vector<Plant>& all = all_plants();
  if (!id.empty() && std::none_of(all.begin(), all.end(), [&](const Plant& known) { return known.id == id; })) {
    throw std::invalid_argument(
        fmt::format("plant '{}' is unknown; allowed: {}", id, names(all, [](const Plant& known) { return known.id; })));
  }
  sync::switch_plant_on(id);
}

Row explore(const Scenario& scenario, const StrategySpec& spec, const RunOptions& options) {
  using heddle_check::Backend;
  heddle_check::Explorer explorer(options.real_threads ? Backend::kThreads : Backend::kFibers);
  const auto strategy = heddle_check::make_strategy(spec, options.seed);
  heddle_check::Budget budget{options.executions, options.seconds};
  if (budget.executions == 0 && budget.seconds == 0) budget.executions = spec.executions;
  if (budget.executions == 0 && budget.seconds == 0) budget.executions = kExecutions;
  Row row{scenario, spec, explorer.explore(scenario, *strategy, budget), {}};
  if (row.result.failed()) {
    row.decisions = heddle_check::DecisionString{build_id(), scenario.name, options.plant, row.result.trace_hash,
                                                 row.result.decisions}
                        .text();
  }
  return row;
}

}  // namespace

int list(bool json) {
  if (json) {
    nlohmann::ordered_json document;
    document["build_id"] = build_id();
    for (const Scenario& scenario : all_scenarios()) {
      document["scenarios"].push_back({{"scenario", scenario.name},
                                       {"group", scenario.group},
                                       {"threads", scenario.threads},
                                       {"choices", heddle_check::choice_names(scenario.limits)},
                                       {"claim", scenario.claim}});
    }
    for (const Plant& known : all_plants()) {
      document["plants"].push_back(
          {{"plant", known.id}, {"group", known.group}, {"story", known.story}, {"scenario", known.scenario}});
    }
    fmt::print("{}\n", document.dump(2));
    return kExitPass;
  }
  for (const Scenario& scenario : all_scenarios()) {
    fmt::print("{:<24} {:<10} {}\n", scenario.name, scenario.group, scenario.claim);
  }
  for (const Plant& known : all_plants())
    fmt::print("--plant {:<28} {} (killed by {})\n", known.id, known.story, known.scenario);
  return kExitPass;
}

int run(const RunOptions& options, const std::string& program) {
  const Scenarios scenarios = selected(options);
  plant(options.plant);
  if (!options.strategy.empty()) heddle_check::make_strategy({.name = options.strategy}, 0);  // refuses unknown ones
  std::vector<Row> rows;
  bool failed = false;
  if (!options.json) print_header();
  for (const Scenario& scenario : scenarios) {
    for (const StrategySpec& spec : strategies_of(scenario, options)) {
      rows.push_back(explore(scenario, spec, options));
      failed |= rows.back().result.failed();
      if (!options.json) print_row(rows.back(), program);
      static_cast<void>(std::fflush(stdout));
    }
  }
  if (options.json) fmt::print("{}\n", to_json(rows));
  return failed ? kExitFail : kExitPass;
}

int replay(const std::string& text, bool json) {
  const auto decisions = heddle_check::DecisionString::parse(text);
  if (decisions.build_id != build_id()) {
    throw std::invalid_argument(
        fmt::format("the decision string is of build {}, this program is build {}; replay it "
                    "with the build that printed it",
                    decisions.build_id, build_id()));
  }
  const Scenarios all = all_scenarios();
  const Scenario& scenario = find(all, decisions.scenario);
  plant(decisions.plant);
  heddle_check::Explorer explorer;
  heddle_check::Replayed replayed = explorer.replay(scenario, decisions.decisions);
  if (replayed.trace_hash != decisions.trace_hash && replayed.failure.kind != heddle_check::FailureKind::kDivergence) {
    replayed.failure = {
        heddle_check::FailureKind::kDivergence,
        fmt::format("the trace has hash {:016x}, and {:016x} was recorded", replayed.trace_hash, decisions.trace_hash),
        replayed.failure.text};
  }
  const bool failed = replayed.failure.kind != heddle_check::FailureKind::kNone;
  if (json) {
    nlohmann::ordered_json document{{"build_id", build_id()}, {"scenario", scenario.name}};
    document["trace_hash"] = fmt::format("{:016x}", replayed.trace_hash);
    document["result"] = failed ? "fail" : "pass";
    document["failure"] = nullptr;
    if (failed) {
      document["failure"] = {{"kind", heddle_check::name_of(replayed.failure.kind)}, {"text", replayed.failure.text}};
    }
    fmt::print("{}\n", document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{}\n{}: {}\n{}\ntrace hash {:016x}\n", replayed.trace, heddle_check::name_of(replayed.failure.kind),
               failed ? replayed.failure.text : "the execution passes", replayed.failure.details, replayed.trace_hash);
  }
  return failed ? kExitFail : kExitPass;
}

}  // namespace heddle::check
