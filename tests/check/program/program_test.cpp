// The program heddle-check as its users see it: lines, JSON, exit codes; and every plant is killed.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "check/plants.hpp"
#include "check/scenarios.hpp"
#include "cli/command.hpp"

namespace heddle::check {
namespace {

using nlohmann::json;
using test::CommandResult;

CommandResult run(const std::string& arguments) { return test::run_heddle(arguments); }

TEST(Program, AllScenariosPass) {
  const CommandResult result = run("run --all --executions 2000 --json");
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  const json document = json::parse(result.out);
  EXPECT_FALSE(document.at("build_id").get<std::string>().empty());
  std::set<std::string> seen;
  for (const json& entry : document.at("results")) {
    seen.insert(entry.at("scenario"));
    EXPECT_EQ(entry.at("result"), "pass");
    EXPECT_TRUE(entry.at("failure").is_null());
    EXPECT_GT(entry.at("executions").get<int>(), 0);
    EXPECT_GT(entry.at("points").get<int>(), 0);
    EXPECT_EQ(entry.at("points_per_execution").get<int>(),
              entry.at("points").get<int>() / entry.at("executions").get<int>());
    EXPECT_GT(entry.at("points_per_second").get<double>(), 0);
    EXPECT_GT(entry.at("executions_per_second").get<double>(), 0);
    EXPECT_GE(entry.at("depth_max").get<int>(), 1);
    EXPECT_GE(entry.at("threads").get<int>(), 2);
    EXPECT_GE(entry.at("wall_seconds").get<double>(), 0);
    EXPECT_TRUE(entry.at("exhausted").is_boolean());
    EXPECT_TRUE(entry.at("bound").is_null() || entry.at("bound").is_number());
    EXPECT_FALSE(entry.at("choices").empty());
    EXPECT_FALSE(entry.at("group").get<std::string>().empty());
    EXPECT_FALSE(entry.at("strategy").get<std::string>().empty());
  }
  EXPECT_EQ(seen.size(), all_scenarios().size());
}

TEST(Program, EveryPlantIsKilledAndItsCommandReplaysIt) {
  for (const Plant& plant : all_plants()) {
    if (plant.group == "plain") continue;  // needs ThreadSanitizer: the extended tests run it
    const CommandResult planted = run("run " + plant.scenario + " --plant " + plant.id + " --json");
    ASSERT_EQ(planted.exit_code, 1) << plant.id << " survives\n" << planted.err;
    const json document = json::parse(planted.out);
    const auto failing = std::find_if(document.at("results").begin(), document.at("results").end(),
                                      [](const json& entry) { return entry.at("result") == "fail"; });
    ASSERT_NE(failing, document.at("results").end());
    const json& failure = failing->at("failure");
    const CommandResult again = run("replay '" + failure.at("decisions").get<std::string>() + "' --json");
    EXPECT_EQ(again.exit_code, 1) << plant.id;
    const json replayed = json::parse(again.out);
    EXPECT_EQ(replayed.at("trace_hash"), failure.at("trace_hash")) << plant.id;
    EXPECT_EQ(replayed.at("failure").at("kind"), failure.at("kind")) << plant.id;
    // The text output: the same failure with a trace, and the command that replays it.
    const CommandResult shown = run("run " + plant.scenario + " --plant " + plant.id);
    EXPECT_EQ(shown.exit_code, 1);
    EXPECT_NE(shown.out.find(" replay '"), std::string::npos) << shown.out;
    EXPECT_NE(shown.out.find("hc1:"), std::string::npos) << shown.out;
  }
}

// As `heddle verify` calls it, without a scenario.
TEST(Program, APlantAloneRunsTheScenarioThatItMakesFail) {
  const CommandResult result = run("run --plant canary --seconds 5.0 --json");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const json document = json::parse(result.out);
  ASSERT_EQ(document.at("results").size(), 1u);
  EXPECT_EQ(document.at("results")[0].at("scenario"), "canary");
  EXPECT_EQ(document.at("results")[0].at("result"), "fail");
  EXPECT_EQ(run("run canary").exit_code, 0) << "without its plant it passes";
}

TEST(Program, MinimiseMakesAFailureSmallAndStaysReplayable) {
  const json document = json::parse(run("run --plant inbox_takes_in_two_steps --strategy walk:0.5 --json").out);
  const std::string found = document.at("results")[0].at("failure").at("decisions");
  const CommandResult small = run("minimise '" + found + "'");
  EXPECT_EQ(small.exit_code, 1) << small.err;
  EXPECT_NE(small.out.find("with 1 preemption (found with"), std::string::npos) << small.out;
  EXPECT_NE(small.out.find("TEST(Found, inbox_"), std::string::npos) << small.out;
  const std::size_t at = small.out.find("\ndecisions: ") + 12;
  const std::string decisions = small.out.substr(at, small.out.find('\n', at) - at);
  EXPECT_EQ(run("replay '" + decisions + "'").exit_code, 1) << decisions;
}

TEST(Program, AStringThatWasCutShortIsToldSo) {
  const json document = json::parse(run("run --plant inbox_takes_in_two_steps --strategy walk:0.5 --json").out);
  const std::string found = document.at("results")[0].at("failure").at("decisions");
  const std::string cut = found.substr(0, found.rfind(':') + 1);
  for (const char* command : {"minimise '", "replay '"}) {
    const CommandResult result = run(command + cut + "'");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE((result.out + result.err).find("ends after 0 decisions, but the execution continues"), std::string::npos)
        << result.out << result.err;
    EXPECT_EQ((result.out + result.err).find("4294967295"), std::string::npos);
  }
}

TEST(Program, ForeignTextIsEscaped) {
  const CommandResult named = run("run \"$(printf 'a\\033[31m\\nb')\"");
  EXPECT_EQ(named.exit_code, 2);
  EXPECT_NE(named.err.find("a\\x1b[31m\\nb"), std::string::npos) << named.err;
}

TEST(Program, EveryStrategyRuns) {
  for (const char* name : {"exhaustive", "bounded:1", "walk:0.1", "pct:3", "pos", "surw"}) {
    const CommandResult result = run(std::string("run inbox --executions 200 --json --strategy ") + name);
    EXPECT_EQ(result.exit_code, 0) << name << result.err;
    EXPECT_EQ(json::parse(result.out).at("results").size(), 1u) << name;
  }
  const json portfolio = json::parse(run("run inbox --executions 800 --json --strategy portfolio").out);
  std::set<std::string> strategies;
  std::uint64_t executions = 0;
  for (const json& entry : portfolio.at("results")) {
    strategies.insert(entry.at("strategy"));
    executions += entry.at("executions").get<std::uint64_t>();
  }
  EXPECT_EQ(strategies.size(), 8u);
  EXPECT_EQ(executions, 800u);
  EXPECT_NE(run("run inbox --strategy pct:2 --executions 9").out.find("not reached"), std::string::npos);
}

// The larger scenarios of docs/change/checking.md are run by hand.
TEST(Program, EveryOrderOfTheSmallScenariosIsMade) {
  const CommandResult result =
      run("run lane_pool ticket_wait close_handshake completion_line --strategy exhaustive --executions 20000 --json");
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  const json document = json::parse(result.out);
  EXPECT_EQ(document.at("results").size(), 4u);
  for (const json& entry : document.at("results")) EXPECT_TRUE(entry.at("exhausted").get<bool>()) << entry;
}

TEST(Program, PctMakesAsManyExecutionsAsItsClaimNeeds) {
  const auto entry = [](const std::string& more) {
    return json::parse(run("run owner_gate --strategy pct:2 --json" + more).out).at("results")[0];
  };
  const json enough = entry("");
  EXPECT_GE(enough.at("confidence").get<double>(), 0.99);
  EXPECT_NE(enough.at("summary").get<std::string>().find("reached"), std::string::npos);
  const json stated = entry(" --executions 5");
  EXPECT_EQ(stated.at("executions"), 5);
  EXPECT_LT(stated.at("confidence").get<double>(), 0.99);
  EXPECT_LT(enough.at("executions").get<int>(), 100'000);
  EXPECT_TRUE(json::parse(run("run owner_gate --strategy pos --executions 5 --json").out)
                  .at("results")[0]
                  .at("confidence")
                  .is_null());
}

TEST(Program, TheShippedProgramHasNoPlants) {
  std::ifstream file(HEDDLE_SHIPPED_PROGRAM, std::ios::binary);
  const std::string shipped{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSERT_GT(shipped.size(), 100'000u);
  ASSERT_NE(shipped.find("streams_max"), std::string::npos);  // its texts can be found
  for (const Plant& plant : all_plants()) {
    if (plant.group == "canary") continue;  // not part of the library; `heddle verify` requests it by name
    EXPECT_EQ(shipped.find(plant.id), std::string::npos) << plant.id;
  }
  EXPECT_EQ(shipped.find("heddle_check"), std::string::npos);
}

TEST(Program, ScenariosAndPlantsAreNamedOnce) {
  std::set<std::string> names;
  for (const auto& scenario : all_scenarios()) {
    EXPECT_TRUE(names.insert(scenario.name).second) << scenario.name;
    EXPECT_EQ(scenario.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-"), std::string::npos);
    EXPECT_FALSE(scenario.strategies.empty());
    EXPECT_FALSE(scenario.claim.empty());
  }
  std::set<std::string> plants;
  for (const Plant& plant : all_plants()) {
    EXPECT_TRUE(plants.insert(plant.id).second) << plant.id;
    EXPECT_TRUE(names.contains(plant.scenario)) << plant.scenario;
  }
}

TEST(Program, ListShowsThemAll) {
  const CommandResult result = run("list");
  EXPECT_EQ(result.exit_code, 0);
  for (const auto& scenario : all_scenarios()) EXPECT_NE(result.out.find(scenario.name), std::string::npos);
  for (const Plant& plant : all_plants()) EXPECT_NE(result.out.find(plant.id), std::string::npos);
  const json scenarios = json::parse(run("list --json").out).at("scenarios");
  EXPECT_EQ(scenarios.size(), all_scenarios().size());
  for (const json& entry : scenarios) {
    EXPECT_GT(entry.at("points").get<int>(), 0) << entry;
    EXPECT_EQ(entry.at("choices").at(0), "thread") << entry;
    EXPECT_NE(result.out.find(std::to_string(entry.at("points").get<int>()) + " points; thread"), std::string::npos);
  }
}

TEST(Program, TheSameSeedGivesTheSameExecutions) {
  const std::string command = "run lane_pool --strategy walk --executions 500 --json --seed ";
  const auto points = [&](const std::string& seed) {
    return json::parse(run(command + seed).out).at("results")[0].at("points").get<std::uint64_t>();
  };
  EXPECT_EQ(points("5"), points("5"));
  EXPECT_NE(points("5"), points("6"));
}

TEST(Program, RealThreadsAgree) {
  const auto result = [](const std::string& more) {
    const json entry = json::parse(run("run owner_gate --strategy walk --executions 50 --json" + more).out);
    return entry.at("results")[0].at("points").get<std::uint64_t>();
  };
  EXPECT_EQ(result(""), result(" --real-threads"));
}

TEST(Program, APortfolioRunsInSeveralProcesses) {
  const CommandResult result = run("run inbox --strategy portfolio --processes 2 --executions 800 --json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::uint64_t executions = 0;
  const json document = json::parse(result.out);
  for (const json& row : document.at("results")) executions += row.at("executions").get<std::uint64_t>();
  EXPECT_EQ(executions, 800u);
  EXPECT_EQ(run("run --plant canary --strategy portfolio --processes 2").exit_code, 1) << "a shard reports its failure";
}

struct BadInput {
  const char* arguments;
  const char* said;
};
void PrintTo(const BadInput& input, std::ostream* out) { *out << input.arguments; }

class BadInputTest : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, OneLineAndExitCodeTwo) {
  const CommandResult result = run(GetParam().arguments);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_TRUE(result.err.starts_with("heddle-check: ")) << result.err;
  EXPECT_NE(result.err.find(GetParam().said), std::string::npos) << result.err;
}

INSTANTIATE_TEST_SUITE_P(
    Program, BadInputTest,
    ::testing::Values(BadInput{"", "no command"}, BadInput{"weave", "weave"}, BadInput{"run", "--all"},
                      BadInput{"run --all --group pool", "one of the three"},
                      BadInput{"run nothing", "scenario 'nothing' is unknown; allowed: owner_gate"},
                      BadInput{"run --group none", "allowed: pool"},
                      BadInput{"run --all --strategy guess", "allowed: exhaustive"},
                      BadInput{"run --all --strategy guess", "portfolio"},
                      BadInput{"run --all --strategy pct:none", "needs a number"},
                      BadInput{"run --all --strategy portfolio --real-threads", "fibers"},
                      BadInput{"run --all --processes 2", "only a portfolio"},
                      BadInput{"run --all --strategy portfolio --processes 0", "--processes"},
                      BadInput{"minimise nonsense", "malformed"}, BadInput{"run --plant none", "allowed: owner_gate"},
                      BadInput{"run --all --plant none", "allowed: owner_gate_without_fence"},
                      BadInput{"run --all --executions 0", "allowed: a whole number from 1 to 18446744073709551615;"},
                      BadInput{"run --all --executions 1e3", "--executions: '1e3'"},
                      BadInput{"run --all --seed -1", "--seed: '-1' is out of range; allowed: a whole number from 0"},
                      BadInput{"run --all --strategy bounded:2 --bound 3", "bounded:2 and --bound 3 contradict"},
                      BadInput{"run --all --seconds x", "seconds"}, BadInput{"run --all --seconds nan", "seconds"},
                      BadInput{"run --all --bound -2", "bound"}, BadInput{"replay", "decisions"},
                      BadInput{"replay nonsense", "malformed"},
                      BadInput{"replay hc1:other:owner_gate:-:0:0", "build other"}));

}  // namespace
}  // namespace heddle::check
