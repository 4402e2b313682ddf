// Portfolio: several strategies on one scenario, in turns, in several processes, until something fails or the budget is
// used up.
//
// No strategy is best on all programs, and a machine has several cores. Each process (shard) has its own explorer, and
// seeds of its own for the random strategies; a systematic one (exhaustive, bounded) runs in one of them. Counts of a
// budget in executions repeat exactly with the same seed and number of shards, as long as nothing fails; one in seconds
// depends on the machine. The first failure ends the other shards at their next turn: where several fail at once, which
// one is told may differ from run to run; what is told replays.
//
// A shard that crashes is a result: it is told in `lost`, and the others' results count.
// Thread safety: call it from a process with one thread (it forks).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/explorer.hpp"

namespace heddle_check {

struct PortfolioOptions {
  std::vector<StrategySpec> strategies = {};  // empty: default_portfolio()
  Budget budget = {};                         // of all together; one of the two must be set
  std::uint64_t seed = 1;
  unsigned shards = 1;    // 1: in this process
  bool progress = false;  // a line that is written again and again, on the standard error where that is a terminal
};

struct StrategyResult {
  StrategySpec spec;
  Result result;  // of all shards; `seconds` is their sum
};

struct PortfolioResult {
  std::vector<StrategyResult> parts;  // in the order of the strategies
  Result total;                       // `failure` is the first one; `exhausted`: a part was
  std::string failed_strategy;
  std::vector<std::string> lost;  // a line for each shard that did not come to its end
  bool failed() const noexcept { return total.failed() || !lost.empty(); }
};

inline constexpr unsigned kMaxShards = 256;

// Uniform walks of four probabilities, PCT of depths 2 and 3, POS and SURW.
std::vector<StrategySpec> default_portfolio();

// Throws std::invalid_argument for a budget or a number of shards that cannot be, and for unknown strategies;
// std::system_error where processes cannot be made.
PortfolioResult run_portfolio(const Scenario& scenario, const PortfolioOptions& options);

}  // namespace heddle_check
