#include "heddle_check/campaign/portfolio.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "classics.hpp"
#include "heddle_check/campaign/progress.hpp"
#include "heddle_check/campaign/shard.hpp"
#include "kernels.hpp"

namespace heddle_check {
namespace {

Scenario harmless() {
  return scenario([] {
    Atomic<int> counter{0};
    at_once(3, [&](int) {
      counter.fetch_add(1);
      counter.fetch_add(1);
    });
    require(counter.load() == 6, "no update is lost");
  });
}

TEST(Portfolio, ABudgetOfExecutionsIsKeptExactlyWhateverTheShards) {
  for (const unsigned shards : {1u, 3u}) {
    const PortfolioResult result = run_portfolio(harmless(), {.budget = {.executions = 10'001}, .shards = shards});
    EXPECT_FALSE(result.failed()) << result.total.failure.text;
    EXPECT_EQ(result.total.executions, 10'001u);
    ASSERT_EQ(result.parts.size(), default_portfolio().size());
    for (const StrategyResult& part : result.parts) {
      EXPECT_GE(part.result.executions, 1250u) << part.spec.name;
      EXPECT_EQ(part.result.depth_max, 7u);
    }
  }
}

// Uses up its time; the number of executions is not this test's subject.
TEST(Portfolio, ABudgetOfSecondsEnds) {
  const PortfolioResult result = run_portfolio(harmless(), {.budget = {.seconds = 0.2}, .shards = 2});
  EXPECT_FALSE(result.failed());
  EXPECT_GT(result.total.executions, 0u);
}

TEST(Portfolio, AFailureOfAShardComesBackAndReplays) {
  for (const unsigned shards : {1u, 3u}) {
    const Scenario kernel = classics::reorder(5);
    const PortfolioResult result = run_portfolio(kernel, {.budget = {.executions = 100'000}, .shards = shards});
    ASSERT_EQ(result.total.failure.kind, FailureKind::kOracle);
    EXPECT_FALSE(result.failed_strategy.empty());
    EXPECT_NE(result.total.trace.find("store"), std::string::npos);
    Explorer explorer;
    const Replayed again = explorer.replay(kernel, result.total.decisions);
    EXPECT_EQ(again.failure.text, result.total.failure.text);
    EXPECT_EQ(again.trace_hash, result.total.trace_hash);
  }
}

TEST(Portfolio, ASystematicStrategyRunsOnce) {
  const PortfolioResult result =
      run_portfolio(harmless(), {.strategies = {parse_strategy("pos"), parse_strategy("exhaustive")},
                                 .budget = {.executions = 20'000},
                                 .shards = 3});
  EXPECT_TRUE(result.parts[1].result.exhausted);
  EXPECT_EQ(result.parts[1].result.executions - result.parts[1].result.redundant, 90u);
  EXPECT_FALSE(result.parts[0].result.exhausted);
  EXPECT_EQ(result.parts[0].result.executions, 10'000u);
}

TEST(Portfolio, ShardsExploreDifferentExecutions) {
  // Fails in about one of 20 executions: equal seeds would fail after the same number.
  std::vector<std::uint64_t> firsts;
  for (unsigned shard = 0; shard < 8; ++shard) {
    PortfolioOptions options{.strategies = {parse_strategy("pos")}, .budget = {.executions = 80'000}, .shards = 8};
    Board board;
    firsts.push_back(run_shard({classics::reorder(5), options, shard, board})[0].result.executions);
  }
  std::sort(firsts.begin(), firsts.end());
  EXPECT_GT(std::unique(firsts.begin(), firsts.end()) - firsts.begin(), 3);
}

TEST(Portfolio, ACrashOfAShardIsAResult) {
  const Scenario crashing = scenario([] {
    Atomic<int> turn{0};
    at_once(2, [&](int t) {
      if (turn.fetch_add(1) == 0 && t == 1) raise(SIGKILL);
    });
  });
  const PortfolioResult result = run_portfolio(crashing, {.budget = {.executions = 1000}, .shards = 2});
  EXPECT_TRUE(result.failed());
  ASSERT_EQ(result.lost.size(), 2u);
  EXPECT_EQ(result.lost[0], "shard 0 was ended by signal 9 (Killed)");
}

TEST(Portfolio, RefusesWhatCannotBe) {
  EXPECT_THROW(run_portfolio(harmless(), {}), std::invalid_argument);
  EXPECT_THROW(run_portfolio(harmless(), {.budget = {.executions = 1}, .shards = 0}), std::invalid_argument);
  EXPECT_THROW(run_portfolio(harmless(), {.strategies = {{.name = "luck"}}, .budget = {.executions = 1}, .shards = 2}),
               std::invalid_argument);
}

TEST(Portfolio, ResultsCutOffAreRefused) {
  Result result;
  result.executions = 5;
  result.failure = {FailureKind::kRace, "text", "more\nlines"};
  result.decisions = {0, 255, 3};
  const std::string bytes = encode_results(std::vector<StrategyResult>{{parse_strategy("pos"), result}});
  const std::vector<Result> back = decode_results(bytes);
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].bound, -1);
  EXPECT_EQ(back[0].failure.details, "more\nlines");
  EXPECT_EQ(back[0].decisions, result.decisions);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(decode_results(std::string_view(bytes).substr(0, size)), std::invalid_argument);
  }
}

TEST(Portfolio, ProgressIsOneLine) {
  EXPECT_EQ(progress_line("pool", 1'234'567, 50'000'000, 12), "pool: 1234567 executions, 4.2 M points/s, 12 s");
}

TEST(StrategySpecs, AreReadAndWritten) {
  EXPECT_EQ(parse_strategy("pct").bound, -1);
  for (const char* text : {"exhaustive", "bounded:2", "walk:0.03", "pct:3", "pos", "surw"}) {
    EXPECT_EQ(to_text(parse_strategy(text)), text);
    EXPECT_EQ(make_strategy(parse_strategy(text), 1)->name(), parse_strategy(text).name);
  }
  for (const char* text : {"", "luck", "pct:", "pct:0", "pct:x", "pct:3x", "pos:1", "walk:0", "walk:2", "walk:nan",
                           "bounded:-1", "bounded:1000", "PCT"}) {
    try {
      parse_strategy(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("allowed: exhaustive"), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace heddle_check
